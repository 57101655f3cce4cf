"""Golden numbers for ranking: scores by NumPy, statistics by SciPy.

    python test/golden/ranking/make.py      writes scores.json and statistics.json beside itself
"""
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy import optimize, stats

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

HERE = Path(__file__).parent
VERSIONS = {"numpy": np.__version__, "scipy": scipy.__version__}


def scores():
    rng = np.random.default_rng(7)
    rows, dim, bank = 9, 40, 4
    vectors = (rng.normal(size=(rows, dim)) * rng.uniform(0.1, 30, size=(rows, 1))).astype(np.float32)
    direction = rng.normal(size=dim).astype(np.float32)
    scenarios = rng.normal(size=(bank, dim)).astype(np.float32)
    stored = vectors.astype(np.float16).astype(np.float64)
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    v = direction.astype(np.float64)
    b = scenarios.astype(np.float64)
    v /= np.linalg.norm(v)
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    centred = stored - stored.mean(axis=0)
    against_bank = stored @ b.T / norms[:, None]
    return {
        "versions": VERSIONS,
        "dim": dim,
        "vectors": vectors.ravel().tolist(),
        "direction": direction.tolist(),
        "bank": scenarios.ravel().tolist(),
        "norms": norms.tolist(),
        "cosine": (stored @ v / norms).tolist(),
        "projection": (stored @ v).tolist(),
        "centred-cosine": (centred @ v / np.linalg.norm(centred, axis=1)).tolist(),
        "bank-max": against_bank.max(axis=1).tolist(),
        "winners": against_bank.argmax(axis=1).tolist(),
    }


def correlation(x, y):
    r = stats.spearmanr(x, y).statistic
    n = len(x)
    half = stats.norm.ppf(0.975) * np.sqrt((1 + r * r / 2) / (n - 3))
    return {"x": x, "y": y, "r": r, "low": np.tanh(np.arctanh(r) - half), "high": np.tanh(np.arctanh(r) + half)}


def score_test(x1, n1, x2, n2, ratio):
    """Squared score statistic of the ratio p1 / p2; the fit under that ratio is found numerically."""
    def loss(p2):
        p1 = ratio * p2
        return -(stats.binom.logpmf(x1, n1, p1) + stats.binom.logpmf(x2, n2, p2))

    p2 = optimize.minimize_scalar(loss, bounds=(1e-12, min(1, 1 / ratio) - 1e-12), method="bounded", options={"xatol": 1e-14}).x
    p1 = ratio * p2
    variance = p1 * (1 - p1) / n1 + ratio**2 * p2 * (1 - p2) / n2
    return (x1 / n1 - ratio * x2 / n2) ** 2 / variance


def ratio(x1, n1, x2, n2):
    """Koopman's interval by root finding; null stands for infinity."""
    limit = stats.chi2.ppf(0.95, 1)
    f = lambda log: score_test(x1, n1, x2, n2, np.exp(log)) - limit
    middle = np.log((x1 + 0.5) / n1 / ((x2 + 0.5) / n2)) if 0 in (x1, x2) else np.log(x1 / n1 / (x2 / n2))
    low = 0.0 if x1 == 0 else float(np.exp(optimize.brentq(f, middle - 8, middle)))
    high = None if x2 == 0 else float(np.exp(optimize.brentq(f, middle, middle + 8)))
    return {"a": [x1, n1], "b": [x2, n2], "low": low, "high": high}


def statistics():
    rng = np.random.default_rng(11)
    smooth = rng.normal(size=60)
    ties = rng.integers(0, 4, size=80)
    binary = (rng.normal(size=80) + ties > 1.5).astype(int)
    return {
        "versions": VERSIONS,
        "spearman": [
            correlation(smooth.tolist(), (smooth + rng.normal(size=60)).tolist()),
            correlation(ties.tolist(), binary.tolist()),
            correlation([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]),
        ],
        "ratios": [ratio(30, 100, 200, 900), ratio(5, 20, 1, 80), ratio(0, 50, 30, 500), ratio(12, 40, 0, 60)],
    }


(HERE / "scores.json").write_text(dumps(scores()))
(HERE / "statistics.json").write_text(dumps(statistics()))
