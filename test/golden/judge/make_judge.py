"""Golden values for agreement and corrected rates from NumPy and SciPy: python make_judge.py writes judge.json beside itself.

Works on single rollouts (prompt, judge, person) where the program works on counts; derivatives are numerical.
"""
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy import optimize, special, stats

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

rng = np.random.default_rng(23)
NAN = float("nan")


def draw(prompts, samples, rate, spread, se, sp, labelled):
    """One experiment: arrays over rollouts. Persons' labels are NaN where there is none."""
    logit = np.log(rate / (1 - rate)) + spread * rng.standard_normal(prompts)
    prompt = np.repeat(np.arange(prompts), samples)
    truth = rng.random(prompts * samples) < 1 / (1 + np.exp(-logit[prompt]))
    judge = np.where(truth, rng.random(truth.size) < se, rng.random(truth.size) > sp).astype(float)
    person = np.full(truth.size, NAN)
    chosen = rng.choice(truth.size, labelled, replace=False)
    person[chosen] = truth[chosen]
    return prompt, judge, person


def wilson_t(values, prompt, level=0.05):
    """Rate of 0/1 values with Wilson's interval: independent rollouts by the variance over prompts, Student's t."""
    groups = np.unique(prompt)
    r, n = values.mean(), len(groups)
    z = np.array([(values[prompt == g] - r).sum() for g in groups]) / len(values)
    variance = n / (n - 1) * (z**2).sum() if n > 1 else 0.0
    if variance == 0:
        effective, df = n, max(1, n - 1)
    else:
        effective = min(len(values), r * (1 - r) / variance)
        rare = sum(values[prompt == g].any() if r < 0.5 else not values[prompt == g].all() for g in groups)
        spread = (z**4).sum() / (z**2).sum() ** 2 - 1 / rare
        df = max(1, min(n - 1, 2 / spread)) if spread > 0 else n - 1
    q = stats.t.isf(level / 2, df)
    scale = 1 + q * q / effective
    centre = (r + q * q / (2 * effective)) / scale
    half = q / scale * np.sqrt(r * (1 - r) / effective + q * q / (4 * effective**2))
    low = 0.0 if r == 0 else max(0.0, centre - half)
    high = 1.0 if r == 1 else min(1.0, centre + half)
    return {"rate": r, "low": low, "high": high, "effective": effective}


def kappa_of(weights, judge, person):
    w = weights / weights.sum()
    observed = (w * (judge == person)).sum()
    a, b = (w * judge).sum(), (w * person).sum()
    expected = a * b + (1 - a) * (1 - b)
    return (observed - expected) / (1 - expected)


def kappa(prompt, judge, person):
    """The infinitesimal jackknife over prompts: numerical derivatives by each prompt's weight."""
    groups = np.unique(prompt)
    ones = np.ones(len(judge))
    value = kappa_of(ones, judge, person)
    step = 1e-5
    slopes = [
        (kappa_of(ones + step * (prompt == g), judge, person) - kappa_of(ones - step * (prompt == g), judge, person)) / (2 * step)
        for g in groups
    ]
    n = len(groups)
    half = stats.t.isf(0.025, n - 1) * np.sqrt(n / (n - 1) * (np.array(slopes) ** 2).sum())
    return {"value": value, "low": max(-1, value - half), "high": min(1, value + half)}


def deviance(k, n, share):
    """Twice the log-likelihood that a binomial share loses to the observed one."""
    term = lambda seen, expected: 2 * special.xlogy(seen, seen / n / expected) if seen > 0 else 0.0
    return term(k, share) + term(n - k, 1 - share)


def fit_judge(counts, rate):
    """Root of the profile deviance by a search over the logits of sensitivity and false alarms."""
    (hits, yes), (alarms, no), (calls, rest) = counts
    share = lambda x: (special.expit(x[0]), special.expit(x[1]))

    def lost(x):
        se, fa = share(x)
        q = (1 - rate) * fa + rate * se
        return (deviance(hits, yes, se) if yes else 0.0) + deviance(alarms or 0.1, no, fa) + deviance(calls, rest, q)

    starts = [(1.0, -2.0), (-1.0, -1.0), (3.0, -4.0), (-3.0, 0.0)]
    best = min((optimize.minimize(lost, x, method="Nelder-Mead", options=dict(xatol=1e-9, fatol=1e-14, maxiter=4000)) for x in starts), key=lambda r: r.fun)
    se, fa = share(best.x)
    f0, s0 = (alarms or 0.1) / no, hits / yes if yes else (1.0 if calls / rest > (1 - rate) * fa else 0.0)
    sign = np.sign(calls / rest - (1 - rate) * f0 - rate * s0)
    return se, fa, sign * np.sqrt(max(0.0, best.fun))


def unified(truth):
    """Feldman and Cousins' acceptance region of a normal estimate at `truth` >= 0, as distances; from the ratio of likelihoods that its ends have."""
    if truth >= stats.norm.isf(0.025):
        return stats.norm.isf(0.025), stats.norm.isf(0.025)
    if truth < 1e-6:
        return stats.norm.isf(0.05), np.inf
    log_ratio = lambda x: stats.norm.logpdf(x, truth) - stats.norm.logpdf(x, max(x, 0))

    def ends(cut):
        high = optimize.brentq(lambda x: log_ratio(x) - cut, max(truth, 0), truth + 10)
        low = optimize.brentq(lambda x: log_ratio(x) - cut, -10 - 8 / truth, truth)
        return low, high

    held = lambda cut: np.subtract(*stats.norm.cdf(ends(cut)[::-1], truth)) - 0.95
    low, high = ends(optimize.brentq(held, -6, -0.5, xtol=1e-13))
    return high - truth, truth - low


def rogan_gladen(prompt, judge, person):
    """For rates of at most a half. Every rate that its own test does not reject."""
    known = ~np.isnan(person)
    yes, no = known & (person == 1), known & (person == 0)
    n, m = len(judge), known.sum()
    se, fa, q = judge[yes].mean(), judge[no].mean(), judge.mean()
    rate = float(np.clip((q - fa) / (se - fa), 0, 1))
    assert rate <= 0.5
    counts = [(judge[yes].sum(), yes.sum()), (judge[no].sum(), no.sum()), (judge[~known].sum(), n - m)]

    def parts(r, se, fa):
        var = lambda x, k: x * (1 - x) / k
        rest = var((1 - r) * fa + r * se, n - m) + (1 - r) ** 2 * var(fa, no.sum()) + r**2 * var(se, yes.sum())
        return ((n - m) / n) ** 2 * rest, (m / n * (se - fa)) ** 2 * var(r, m)

    # The infinitesimal jackknife of q - fa - rate (se - fa) over prompts.
    errors = []
    for g in np.unique(prompt):
        of = prompt == g
        mean_error = lambda where: (judge[where & of] - judge[where].mean()).sum() / where.sum()
        errors.append(mean_error(np.ones(n, bool)) - (1 - rate) * mean_error(no) - rate * mean_error(yes))
    groups = len(errors)
    over_prompts = groups / (groups - 1) * (np.array(errors) ** 2).sum()
    design = max(0.9, over_prompts / sum(parts(rate, se, fa)))
    spread = np.sqrt(design) * stats.t.isf(0.025, groups - 1) / stats.norm.isf(0.025)

    def root(r):
        se, fa, r_un = fit_judge(counts, r)
        rest, labels = parts(r, se, fa)
        shown = m / n * (se - fa) * (yes.sum() / m - r)
        return (r_un * np.sqrt(rest) + shown) / np.sqrt(rest + labels) / spread

    at_zero = root(0.0)
    over = lambda r: root(r) - unified(max(1e-9, at_zero - root(r)))[0]
    under = lambda r: root(r) + unified(max(1e-9, at_zero - root(r)))[1]
    edge = 1e-9
    level = 0.01 if under(1 - edge) < 0 else 0.05
    most = max(rate, wilson_t(person[known], prompt[known], level)["high"])
    low = 0.0 if at_zero <= stats.norm.isf(0.05) else optimize.brentq(over, 1e-9, rate, xtol=1e-11)
    high = most if under(most) >= 0 else optimize.brentq(under, rate, most, xtol=1e-11)
    return {"rate": rate, "low": low, "high": high}


def ppi(prompt, judge, person):
    """Double sampling by the judge's verdict; the interval from SciPy's beta distributions, the variance over prompts by the jackknife."""
    known = ~np.isnan(person)
    groups = np.unique(prompt)
    y = np.where(known, person, 0.0)

    def estimate(w):
        pi = (w * judge).sum() / w.sum()
        part = lambda where: (w * y)[where].sum() / w[where].sum()
        return pi * part(known & (judge == 1)) + (1 - pi) * part(known & (judge == 0))

    one, step = np.ones(len(judge)), 1e-5
    slope_by = lambda units: [
        (estimate(one + step * (units == u)) - estimate(one - step * (units == u))) / (2 * step) for u in np.unique(units)
    ]
    n = len(groups)
    over_prompts = n / (n - 1) * (np.array(slope_by(prompt)) ** 2).sum()
    over_rollouts = (np.array(slope_by(np.arange(len(judge)))) ** 2).sum()
    inflation = max(1.0, over_prompts / over_rollouts) * (stats.t.isf(0.025, n - 1) / stats.norm.isf(0.025)) ** 2

    def low_end(shows):
        parts = [stats.beta(judge.sum() + 0.5, (1 - judge).sum() + 0.5)]
        for said in (1, 0):
            k, m = shows[known & (judge == said)].sum(), (known & (judge == said)).sum()
            parts.append(stats.beta(k + (0.2 if k == 0 else 0.5), m - k + 0.5))
        pi, p, q = parts
        # Var(pi p + (1 - pi) q) by the law of total variance, given pi.
        given = lambda x: x * p.mean() + (1 - x) * q.mean()
        mean = given(pi.mean())
        second = lambda f: pi.expect(f)
        variance = (
            second(lambda x: (given(x) - mean) ** 2)
            + second(lambda x: x**2) * p.var()
            + second(lambda x: (1 - x) ** 2) * q.var()
        )
        size = mean * (1 - mean) / (variance * inflation) - 1
        return stats.beta.ppf(0.025, mean * size, (1 - mean) * size)

    rate = estimate(one)
    slope = y[known & (judge == 1)].mean() - y[known & (judge == 0)].mean()
    return {
        "weight": slope * (1 - known.mean()),
        "rate": rate,
        "low": min(rate, low_end(y)),
        "high": max(rate, 1 - low_end(1 - y)),
    }


def rogan_gladen_of(prompt, judge, person):
    """Rates above a half by that of the opposite behaviour."""
    if judge.mean() <= 0.5:
        return rogan_gladen(prompt, judge, person)
    found = rogan_gladen(prompt, 1 - judge, 1 - person)
    return {"rate": 1 - found["rate"], "low": 1 - found["high"], "high": 1 - found["low"]}


def case(*settings):
    prompt, judge, person = draw(*settings)
    known = ~np.isnan(person)
    yes = known & (person == 1)
    called = known & (judge == 1)
    return {
        "rollouts": [
            [int(p), int(j), None if np.isnan(h) else int(h)] for p, j, h in zip(prompt, judge, person)
        ],
        "agreement": wilson_t((judge == person)[known].astype(float), prompt[known]),
        "precision": wilson_t(person[called], prompt[called]),
        "recall": wilson_t(judge[yes], prompt[yes]),
        "kappa": kappa(prompt[known], judge[known], person[known]),
        "roganGladen": rogan_gladen_of(prompt, judge, person),
        "ppi": ppi(prompt, judge, person),
    }


cases = [
    case(40, 6, 0.3, 1.0, 0.9, 0.95, 80),
    case(30, 5, 0.1, 1.5, 0.8, 0.97, 60),
    case(25, 4, 0.6, 0.5, 0.7, 0.8, 50),
    case(20, 8, 0.4, 2.0, 0.95, 0.6, 40),
    case(60, 5, 0.02, 1.0, 0.9, 0.95, 120),
]
fits = [
    {"counts": [[float(k), float(n)] for k, n in counts], "rate": rate, "root": fit_judge(counts, rate)[2]}
    for counts in (
        [(9, 10), (4, 190), (25, 800)],
        [(2, 3), (0, 97), (8, 300)],
        [(30, 40), (16, 160), (190, 800)],
        [(1, 1), (3, 99), (2, 300)],
    )
    for rate in (0.001, 0.02, 0.2, 0.7)
]
critical = [{"truth": t, "above": unified(t)[0], "below": unified(t)[1]} for t in (0.05, 0.3, 0.8, 1.2345, 1.7, 1.95, 2.5)]
out = {"fits": fits, "critical": critical, "made_with": f"numpy {np.__version__}, scipy {scipy.__version__}", "cases": cases}
Path(__file__).with_name("judge.json").write_text(dumps(out, default=float))
