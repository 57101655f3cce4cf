"""Directions of scikit-learn's classifiers and areas under ROC curves, for src/behavior.

    python make_probes.py     writes probes.json beside itself

Rows are rounded to three decimals and written as they are, so that no random generator has to be shared. The last case has activations of
the model organism, from activations.json.
"""
import json, sys
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

rng = np.random.default_rng(4)
STRENGTHS = [1e-3, 1e-1, 1.0, 100.0, 1000.0]


def case(name, pairs, dim, shift, loud=()):
    """Pairs of rows: a prompt's own part, shared by both sides, plus noise with a few factors, plus a shift of one side."""
    own = rng.normal(size=(pairs, dim)) * 0.5
    factors = rng.normal(size=(3, dim))
    side = lambda: own + rng.normal(size=(pairs, 3)) @ factors * 0.7 + rng.normal(size=(pairs, dim)) * 0.5
    behavior = rng.normal(size=dim)
    behavior *= shift / np.linalg.norm(behavior)
    rows = np.concatenate([side(), side() + behavior]) + 0.4
    for j in loud:  # as the few dimensions of real residual streams that dwarf all others
        rows[:, j] *= 30
    rows = np.round(rows, 3).astype(np.float32)
    return name, rows, np.repeat([0, 1], pairs)


def organism():
    """Mean response activations of the organism, before-responses first."""
    with open(Path(__file__).with_name("activations.json")) as file:
        known = json.load(file)
    rows = np.array(known["rows"], dtype=np.float32).reshape(-1, known["dim"])
    return "activations of the organism", rows, np.repeat([0, 1], len(rows) // 2)


def logistic(rows, labels, strength, weights=None):
    x = rows.astype(np.float64)
    x = x - x.mean(0)
    x /= np.sqrt((x**2).sum(1).mean())
    fit = LogisticRegression(C=strength, tol=1e-10, max_iter=100_000).fit(x, labels, sample_weight=weights)
    return fit.coef_[0].tolist()


cases = []
for name, rows, labels in [
    case("fewer rows than dimensions", 20, 64, 2.0),
    case("more rows than dimensions", 30, 12, 1.5),
    case("a few loud dimensions", 16, 48, 2.0, loud=(3, 17)),
    case("a dimension without variance", 14, 40, 3.0),
    organism(),
]:
    if "without" in name:
        rows[:, 5] = 0.25
    draws = np.random.default_rng(5) if "organism" in name else rng  # what comes after must not move
    weights = np.tile(draws.choice([0.5, 1.0, 2.0], len(rows) // 2), 2)
    x = rows.astype(np.float64)
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, labels)
    eigen = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(x, labels)
    cases.append({
        "name": name,
        "dim": rows.shape[1],
        "rows": [round(float(v), 4) for v in rows.ravel()],
        "labels": labels.tolist(),
        "weights": weights.tolist(),
        "logistic": [{"strength": c, "direction": logistic(rows, labels, c)} for c in STRENGTHS],
        "weighted": logistic(rows, labels, 1.0, weights / weights.mean()),
        "lda": lda.coef_[0].tolist(),
        "ldaEigen": eigen.coef_[0].tolist(),
        "shrinkage": [float(ledoit_wolf_shrinkage(StandardScaler().fit_transform(x[labels == k]))) for k in (0, 1)],
    })

scores = np.round(rng.normal(size=40), 1)  # with ties
labels = rng.integers(0, 2, 40)
weights = rng.integers(0, 4, 40)
Path(__file__).with_name("probes.json").write_text(dumps({
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
    "cases": cases,
    "auroc": {
        "scores": scores.tolist(), "labels": labels.tolist(), "weights": weights.tolist(),
        "plain": float(roc_auc_score(labels, scores)),
        "weighted": float(roc_auc_score(labels, scores, sample_weight=weights)),
    },
}))
