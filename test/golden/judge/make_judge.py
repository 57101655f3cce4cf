"""Golden values for agreement and corrected rates from NumPy and SciPy: python make_judge.py writes judge.json beside itself.

Works on single rollouts (prompt, judge, person) where the program works on counts; derivatives are numerical.
"""
import json
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

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


def wilson_t(values, prompt):
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
    q = stats.t.isf(0.025, df)
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


def rogan_gladen(prompt, judge, person):
    known = ~np.isnan(person)
    p = wilson_t(judge, prompt)
    yes, no = known & (person == 1), known & (person == 0)
    se, sp = wilson_t(judge[yes], prompt[yes]), wilson_t(1 - judge[no], prompt[no])
    raw = (p["rate"] + sp["rate"] - 1) / (se["rate"] + sp["rate"] - 1)
    z = stats.norm.isf(0.025)
    # Lang and Reiczigel 2014, their notation.
    n, n_se, n_sp = p["effective"], se["effective"], sp["effective"]
    p1 = (n * p["rate"] + z**2 / 2) / (n + z**2)
    se1, sp1 = (n_se * se["rate"] + 1) / (n_se + 2), (n_sp * sp["rate"] + 1) / (n_sp + 2)
    pi = (p1 + sp1 - 1) / (se1 + sp1 - 1)
    dpi = 2 * z**2 * (pi * se1 * (1 - se1) / (n_se + 2) - (1 - pi) * sp1 * (1 - sp1) / (n_sp + 2))
    error = np.sqrt(
        p1 * (1 - p1) / (n + z**2) + pi**2 * se1 * (1 - se1) / (n_se + 2) + (1 - pi) ** 2 * sp1 * (1 - sp1) / (n_sp + 2)
    ) / (se1 + sp1 - 1)
    clip = lambda x: float(np.clip(x, 0, 1))
    # The infinitesimal jackknife of the estimate and of each of its parts alone, by each prompt's weight.
    groups = np.unique(prompt)

    def estimate(w_p, w_se, w_sp):
        mean = lambda w, x, where: (w * x)[where].sum() / w[where].sum()
        a, b, c = mean(w_p, judge, slice(None)), mean(w_se, judge, yes), mean(w_sp, 1 - judge, no)
        return a - clip(raw) * b + (1 - clip(raw)) * c

    one, step = np.ones(len(judge)), 1e-5

    def spread(*which):
        slopes = []
        for g in groups:
            up = [one + step * (prompt == g) * (name in which) for name in "pes"]
            down = [one - step * (prompt == g) * (name in which) for name in "pes"]
            slopes.append((estimate(*up) - estimate(*down)) / (2 * step))
        return (np.array(slopes) ** 2).sum()

    if no.sum() >= 5:
        which = "pes" if yes.sum() >= 5 else "ps"
        share = np.clip(spread(*which) / sum(spread(each) for each in which), 0.1, 1)
        error *= np.sqrt(share if yes.sum() >= 5 else 1 - (1 - share) / 3)
    return {"rate": clip(raw), "low": clip(min(raw, pi + dpi - z * error)), "high": clip(max(raw, pi + dpi + z * error))}


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
        "roganGladen": rogan_gladen(prompt, judge, person),
        "ppi": ppi(prompt, judge, person),
    }


cases = [
    case(40, 6, 0.3, 1.0, 0.9, 0.95, 80),
    case(30, 5, 0.1, 1.5, 0.8, 0.97, 60),
    case(25, 4, 0.6, 0.5, 0.7, 0.8, 50),
    case(20, 8, 0.4, 2.0, 0.95, 0.6, 40),
    case(60, 5, 0.02, 1.0, 0.9, 0.95, 120),
]
out = {"made_with": f"numpy {np.__version__}, scipy {scipy.__version__}", "cases": cases}
Path(__file__).with_name("judge.json").write_text(json.dumps(out, separators=(",", ":"), default=float) + "\n")
