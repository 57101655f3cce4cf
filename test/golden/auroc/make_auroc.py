"""Golden areas under the ROC curve from scikit-learn: python make_auroc.py writes auroc.json beside itself."""
import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(5)
cases = []
for n, m, shift, digits in ((5, 7, 0.5, 3), (40, 25, 1.0, 3), (30, 30, 0.0, 1), (3, 1, -1.0, 3)):
    # Rounding makes ties.
    positives = np.round(rng.standard_normal(n) + shift, digits)
    negatives = np.round(rng.standard_normal(m), digits)
    value = roc_auc_score(np.r_[np.ones(n), np.zeros(m)], np.r_[positives, negatives])
    cases.append({"positives": positives.tolist(), "negatives": negatives.tolist(), "auroc": value})
Path(__file__).with_name("auroc.json").write_text(json.dumps({"sklearn": sklearn.__version__, "cases": cases}) + "\n")
