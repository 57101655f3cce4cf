"""Golden ranking quality from scikit-learn: python make_quality.py writes quality.json beside itself."""
import sys
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

rng = np.random.default_rng(21)
cases = []
for n, planted, shift, digits in ((60, 9, 1.0, 3), (200, 20, 1.5, 1), (50, 25, 0.0, 0), (90, 4, -1.0, 3)):
    truth = np.zeros(n, dtype=bool)
    truth[rng.choice(n, planted, replace=False)] = True
    # Rounding makes ties; single precision as in a ranking.
    scores = np.round(rng.standard_normal(n) + shift * truth, digits).astype(np.float32)
    cut = np.sort(scores)[::-1][planted - 1]
    above, equal = scores > cut, scores == cut
    # The mean over all orders of the pairs that have the score at the edge of the top.
    found = truth[above].sum() + truth[equal].mean() * (planted - above.sum())

    cases.append(
        {
            "scores": [float(s) for s in scores],
            "planted": truth.tolist(),
            "auroc": roc_auc_score(truth, scores),
            "average_precision": average_precision_score(truth, scores),
            "found": float(found),
        }
    )
Path(__file__).with_name("quality.json").write_text(dumps({"sklearn": sklearn.__version__, "cases": cases}))
