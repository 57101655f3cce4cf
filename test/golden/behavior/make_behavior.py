"""Reference figures for src/behavior, computed row by row with NumPy (no sums by prompt, no shared code).

    python make_behavior.py     writes golden.json beside itself
"""
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

rng = np.random.default_rng(11)
PROMPT = [0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 4, 5, 5, 6]
SCENARIO = ["a", "a", "b", "b", "b", "a", "c", "c", "c", "c", "d", "d", "d", "a"]
N, D, G = len(PROMPT), 5, 7
prompt = np.array(PROMPT)
scenario = np.array(SCENARIO)
shared = rng.normal(size=D)
diffs = (shared * 0.6 + rng.normal(size=(G, D))[prompt] * 0.8 + rng.normal(size=(N, D))).astype(np.float32)
rows = diffs.astype(np.float64)

halves = [[int(g in chosen) for g in range(G)] for chosen in (rng.choice(G, G // 2, replace=False) for _ in range(9))]
times = [np.bincount(rng.integers(0, G, G), minlength=G).tolist() for _ in range(9)]
signs = [rng.choice([-1, 1], G).tolist() for _ in range(12)]


def cos(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def figures(weight):
    def mean(extra=None):
        return np.average(rows, axis=0, weights=weight if extra is None else weight * extra)

    full = mean()
    splits = [cos(mean(np.array(h)[prompt]), mean(1 - np.array(h)[prompt])) for h in halves]
    boots = [cos(mean(np.array(t)[prompt]), full) for t in times]
    lengths = [np.linalg.norm((weight[:, None] * np.array(s)[prompt][:, None] * rows).sum(0)) / weight.sum() for s in signs]
    nulls = [(weight[:, None] * np.array(s)[prompt][:, None] * (rows - full)).sum(0) / weight.sum() for s in signs]
    loo = [cos(rows[i], mean((prompt != prompt[i]).astype(float))) for i in range(N)]
    r = float(np.mean(splits))
    quantiles = lambda x: {"mean": float(np.mean(x)), "low": float(np.quantile(x, 0.025)), "high": float(np.quantile(x, 0.975))}
    return {
        "direction": full.tolist(),
        "splitHalf": {**quantiles(splits), "reliability": 2 * r / (1 + r)},
        "bootstrap": quantiles(boots),
        "normNull": {
            "p": (1 + sum(x >= np.linalg.norm(full) for x in lengths)) / (1 + len(lengths)),
            "median": float(np.median(lengths)),
            "high": float(np.quantile(lengths, 0.95)),
        },
        "nullDirections": np.array(nulls).ravel().tolist(),
        "leaveOneOut": {"mean": float(np.mean(loo)), "sharePositive": float(np.mean(np.array(loo) > 0))},
    }


labels = list(dict.fromkeys(SCENARIO))
Path(__file__).with_name("golden.json").write_text(dumps({
    "numpy": np.__version__,
    "prompts": [f"p{p}" for p in PROMPT],
    "scenarios": SCENARIO,
    "differences": diffs.ravel().astype(float).tolist(),
    "halves": halves, "times": times, "signs": signs,
    "bank": np.array([rows[scenario == s].mean(0) for s in labels]).ravel().tolist(),
    "rollout": figures(np.ones(N)),
    "scenario": figures(np.array([1 / (scenario == s).sum() for s in SCENARIO])),
}))
