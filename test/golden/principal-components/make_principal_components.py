"""Golden principal components from scikit-learn: python make_principal_components.py writes principal_components.json beside itself."""
import sys
from pathlib import Path

import numpy as np
import sklearn
from sklearn.decomposition import PCA

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

rng = np.random.default_rng(5)


def case(n, width, scale, name):
    rows = (rng.normal(size=(n, width)) * scale + rng.normal(size=width)).round(4)
    found = PCA(2, svd_solver="full").fit(rows)
    return {"name": name, "width": width, "rows": rows.ravel().tolist(), "coordinates": found.transform(rows).T.tolist(), "shares": found.explained_variance_ratio_.tolist()}


cases = [
    case(30, 8, 1 / (1 + np.arange(8)), "variances that fall"),
    case(25, 10, np.ones(10), "variances all alike"),
    case(6, 20, np.ones(20), "fewer rows than numbers in each"),
    case(15, 2, np.array([3, 1]), "a plane"),
]
path = Path(__file__).with_name("principal_components.json")
path.write_text(dumps({"versions": {"scikit-learn": sklearn.__version__}, "cases": cases}))
