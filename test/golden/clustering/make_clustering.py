"""Golden clusterings from SciPy and scikit-learn: python make_clustering.py writes clustering.json beside itself."""
import sys
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import adjusted_rand_score, silhouette_samples, silhouette_score

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

rng = np.random.default_rng(14)


def points(n, width, kind):
    if kind == "grid":  # whole numbers: nearly all distances are ties
        return rng.integers(0, 3, (n, width)).astype(float)
    if kind == "equal":
        return np.zeros((n, width))
    centres = rng.standard_normal((4, width)) * 3
    x = rng.standard_normal((n, width)) + centres[rng.integers(0, 4, n)]
    return np.round(x, 2)


cases = []
for n, width, kind in (
    (2, 3, "groups"),
    (3, 2, "grid"),
    (9, 2, "equal"),
    (40, 2, "grid"),
    (60, 1, "grid"),
    (50, 3, "grid"),
    (60, 5, "groups"),
    (90, 8, "groups"),
):
    x = points(n, width, kind)
    d = pdist(x)
    case = {"rows": x.tolist(), "trees": {}}
    for method in ("average", "ward"):
        # From the same distances: what is compared is the clustering, not how distances are summed.
        z = linkage(d, method)
        # Where the cut goes through merges of one height, SciPy's order among them is another than that of its merges.
        counts = [k for k in (2, 3, 5) if k < n and z[n - k - 1, 2] < z[n - k, 2]]
        cuts = {}
        for k in counts:
            labels = cut_tree(z, k).ravel()
            cuts[str(k)] = {
                "labels": labels.tolist(),
                "silhouette": float(silhouette_score(squareform(d), labels, metric="precomputed")),
                "samples": silhouette_samples(squareform(d), labels, metric="precomputed").tolist(),
            }
        case["trees"][method] = {"merges": z[:, [0, 1, 3]].astype(int).tolist(), "heights": z[:, 2].tolist(), "cuts": cuts}
    case["distances"] = d.tolist() if n <= 60 else None
    cases.append(case)

rand = []
for n, a, b in ((8, 2, 2), (50, 3, 4), (200, 6, 2), (30, 1, 3), (12, 12, 12), (5, 1, 1)):
    x = rng.integers(0, a, n) if a < n else np.arange(n)
    y = np.where(rng.random(n) < 0.6, x % b, rng.integers(0, b, n)) if b < n else np.arange(n)
    rand.append({"a": x.tolist(), "b": y.tolist(), "index": float(adjusted_rand_score(x, y))})
rand.append({"a": [0, 0, 1, 1], "b": [0, 0, 1, 2], "index": float(adjusted_rand_score([0, 0, 1, 1], [0, 0, 1, 2]))})

Path(__file__).with_name("clustering.json").write_text(
    dumps({"scipy": scipy.__version__, "sklearn": sklearn.__version__, "cases": cases, "rand": rand})
)
