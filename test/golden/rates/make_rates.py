"""Golden values for rates and Student's t from NumPy and SciPy: python make_rates.py writes rates.json beside itself."""
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

rng = np.random.default_rng(11)


def wilson(rate, effective, q):
    """The roots of (rate - x)² = q² x (1 - x) / effective."""
    a, b, c = 1 + q * q / effective, -(2 * rate + q * q / effective), rate**2
    return sorted(np.roots([a, b, c]).real.tolist())


def rate_case(seeds, prompts, rate, spread, seed_spread, samples, missing):
    logit = np.log(rate / (1 - rate)) + spread * rng.standard_normal(prompts) + seed_spread * rng.standard_normal((seeds, 1))
    judged = rng.binomial(samples, 1 - missing, (seeds, prompts))
    shows = rng.binomial(judged, 1 / (1 + np.exp(-logit)))
    r = shows.sum() / judged.sum()
    # Linearised ratio estimator, as a two-way layout without replication: analysis of variance of its cells.
    z = (shows - r * judged) / judged.mean()
    of_prompts = z.mean(0).var(ddof=1) / prompts
    of_seeds = z.mean(1).var(ddof=1) / seeds if seeds > 1 else 0.0
    if seeds > 1:
        residual = z - z.mean(0, keepdims=True) - z.mean(1, keepdims=True) + z.mean()
        of_cells = (residual**2).sum() / ((seeds - 1) * (prompts - 1)) / (seeds * prompts)
    else:
        of_cells = 0.0
    variance = of_prompts + max(0.0, of_seeds - of_cells)
    # Banerjee (1960): each source of error with its own Student's t; the prompts' degrees of freedom by the kurtosis of what they add.
    by_prompt = z.mean(0)
    rare = ((shows > 0) if r < 0.5 else (shows < judged)).any(0).sum()
    spread = (by_prompt**4).sum() / (by_prompt**2).sum() ** 2 - 1 / rare
    df = max(1, min(prompts - 1, 2 / spread)) if spread > 0 else prompts - 1
    parts = (of_prompts, 0.0)
    if seeds > 1:
        noise = of_cells * (seeds - 1) / (seeds + 1)
        over = max(0.0, of_seeds - noise)
        moved = 0.4 * max(0.0, of_prompts - of_cells) * over / (of_prompts + over) if over > 0 else 0.0
        agreement = max(0.0, 1 - of_seeds / noise)
        parts = (of_prompts + moved - 0.5 * agreement * min(of_prompts, of_cells), over - moved)
    squared = stats.t.isf(0.025, df) ** 2 * parts[0]
    if seeds > 1:
        squared += stats.t.isf(0.025, seeds - 1) ** 2 * parts[1]
    q, effective = np.sqrt(squared / variance), min(judged.sum(), r * (1 - r) / variance)
    low, high = wilson(r, effective, q)
    return {
        "low": low,
        "high": high,
        "seeds": seeds,
        "prompts": prompts,
        "shows": shows.ravel().tolist(),
        "judged": judged.ravel().tolist(),
        "rate": r,
        "variance": variance,
    }


cases = [
    rate_case(1, 40, 0.2, 1.5, 0.0, 8, 0.0),
    rate_case(1, 25, 0.6, 0.5, 0.0, 5, 0.2),
    rate_case(3, 40, 0.1, 1.0, 0.6, 8, 0.1),
    rate_case(5, 12, 0.5, 0.0, 0.0, 4, 0.0),
]
t = [
    {"q": q, "df": df, "tail": 2 * stats.t.sf(q, df), "quantile": stats.t.isf(tail / 2, df), "of": tail}
    for q, df, tail in ((0.0, 3, 0.05), (1.96, 1e6, 0.05), (2.5, 1, 0.01), (0.3, 2.5, 0.5), (7.0, 12, 1e-6), (4.0, 119, 0.05))
]
# Wilson's interval with another multiplier than 1.96: scipy's own at the level that belongs to it.
wilson = []
for k, n, q in ((0, 30, 2.2), (3, 120, 2.0), (30, 30, 3.1), (17, 40, 1.3)):
    level = 1 - 2 * stats.norm.sf(q)
    found = stats.binomtest(k, n).proportion_ci(confidence_level=level, method="wilson")
    wilson.append({"rate": k / n, "effective": n, "q": q, "low": found.low, "high": found.high})


def interval(rate, effective, df, level=0.05):
    """Wilson's interval with Student's t."""
    q = stats.t.isf(level / 2, df)
    scale = 1 + q * q / effective
    centre = (rate + q * q / (2 * effective)) / scale
    half = q / scale * np.sqrt(rate * (1 - rate) / effective + q * q / (4 * effective**2))
    return centre - half, centre + half


def arm(shows, judged):
    """Rate, variance over prompts, effective number, degrees of freedom, deviations: one seed."""
    r, m, n = shows.sum() / judged.sum(), judged.sum(), len(shows)
    z = (shows - r * judged) / m
    variance = n / (n - 1) * (z**2).sum()
    rare = (shows > 0).sum() if r < 0.5 else (shows < judged).sum()
    spread = (z**4).sum() / (z**2).sum() ** 2 - 1 / rare
    df = max(1, min(n - 1, 2 / spread)) if spread > 0 else n - 1
    return r, variance, min(m, r * (1 - r) / variance), df, z


def comparison_case(n, samples, rate, left, spread):
    """Difference and ratio by joining two intervals (Donner and Zou 2012, closed forms), and a cluster bootstrap."""
    effect = spread * rng.standard_normal(n)
    judged = np.full(n, samples)
    draw = lambda p: rng.binomial(judged, 1 / (1 + np.exp(-(np.log(p / (1 - p)) + effect))))
    a_shows, b_shows = draw(rate * left), draw(rate)
    a, va, ea, dfa, za = arm(a_shows, judged)
    b, vb, eb, dfb, zb = arm(b_shows, judged)
    rho = n / (n - 1) * (za * zb).sum() / np.sqrt(va * vb)

    def difference(level):
        (la, ua), (lb, ub) = interval(a, ea, dfa, level), interval(b, eb, dfb, level)
        low = a - b - np.sqrt((a - la) ** 2 + (ub - b) ** 2 - 2 * rho * (a - la) * (ub - b))
        return low, a - b + np.sqrt((ua - a) ** 2 + (b - lb) ** 2 - 2 * rho * (ua - a) * (b - lb))

    (la, ua), (lb, ub) = interval(a, ea, dfa), interval(b, eb, dfb)
    mid_low = a * b - rho * (a - la) * (ub - b)
    mid_high = a * b - rho * (ua - a) * (b - lb)
    low_ratio = (mid_low - np.sqrt(mid_low**2 - la * ub * (2 * a - la) * (2 * b - ub))) / (ub * (2 * b - ub))
    high_ratio = (mid_high + np.sqrt(mid_high**2 - ua * lb * (2 * a - ua) * (2 * b - lb))) / (lb * (2 * b - lb))
    from scipy.optimize import brentq

    edge = (lambda level: difference(level)[1]) if a < b else (lambda level: difference(level)[0])
    p = brentq(edge, 1e-11, 1 - 1e-9, xtol=1e-14)
    times = rng.multinomial(n, np.full(n, 1 / n), 40000)
    boot_a, boot_b = times @ a_shows / (n * samples), times @ b_shows / (n * samples)
    q = lambda values: np.quantile(values, [0.025, 0.975]).tolist()
    return {
        "prompts": n,
        "judged": judged.tolist(),
        "arm": a_shows.tolist(),
        "reference": b_shows.tolist(),
        "difference": [a - b, *difference(0.05)],
        "p": p,
        "reduction": [1 - a / b, 1 - high_ratio, 1 - low_ratio],
        "bootstrap": {"rate": q(boot_a), "difference": q(boot_a - boot_b), "reduction": q(1 - boot_a / boot_b)},
    }


comparisons = [comparison_case(60, 10, 0.3, 0.5, 1.0), comparison_case(40, 8, 0.15, 0.7, 1.5), comparison_case(80, 5, 0.4, 0.95, 0.5)]


def holm(ps):
    order = np.argsort(ps)
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(np.asarray(ps)[order] * np.arange(len(ps), 0, -1)))
    return adjusted.tolist()


ps = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.9], [0.2], [1e-8, 0.049, 0.05, 0.051, 0.9]]
holms = [{"ps": each, "adjusted": holm(each)} for each in ps]
# Means of a measure: one sample and paired t intervals.
x, y = rng.normal(0.6, 0.2, 30), rng.normal(0.5, 0.2, 30)
one, two = stats.ttest_1samp(x, 0), stats.ttest_rel(x, y)
measure = {
    "x": x.tolist(),
    "y": y.tolist(),
    "mean": x.mean(),
    "interval": list(one.confidence_interval()),
    "difference": (x - y).mean(),
    "paired": list(two.confidence_interval()),
    "p": two.pvalue,
}
out = {"comparisons": comparisons, "holm": holms, "measure": measure, "numpy": np.__version__, "scipy": scipy.__version__, "rates": cases, "t": t, "wilson": wilson}
Path(__file__).with_name("rates.json").write_text(dumps(out))
