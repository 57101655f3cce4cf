"""Golden values for rates and Student's t from NumPy and SciPy: python make_rates.py writes rates.json beside itself."""
import json
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(11)


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
    return {
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
out = {"numpy": np.__version__, "scipy": scipy.__version__, "rates": cases, "t": t, "wilson": wilson}
Path(__file__).with_name("rates.json").write_text(json.dumps(out) + "\n")
