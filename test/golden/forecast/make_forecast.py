"""Golden ridge fits, clustered means and qualities of predictions: python make_forecast.py writes forecast.json beside itself."""
import sys
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

rng = np.random.default_rng(14)
ridges, qualities, means = [], [], []
for n, width, alpha in ((8, 2, 1.0), (31, 8, 1.0), (5, 7, 0.3)):
    x = rng.normal(size=(n, width)) * np.exp(rng.normal(size=width) * 3)
    if width == 7:
        x[:, 3] = 0
        x[:, 4] = 2 * x[:, 5]  # two columns that say the same
    y = x @ rng.normal(size=width) + rng.normal(size=n)
    scale = np.sqrt((x**2).mean(0))
    scale[scale == 0] = 1
    fit = Ridge(alpha=alpha, fit_intercept=False, solver="svd").fit(x / scale, y)
    ridges.append({"rows": x.tolist(), "y": y.tolist(), "alpha": alpha, "weights": (fit.coef_ / scale).tolist()})
for n, slope in ((3, 1.0), (32, 0.4), (20, -1.0)):
    predicted = np.round(rng.normal(size=n), 2)
    observed = np.round(slope * predicted + rng.normal(size=n), 2)
    line = stats.linregress(predicted, observed)
    t = stats.t.ppf(0.975, n - 2)
    qualities.append(
        {
            "predicted": predicted.tolist(),
            "observed": observed.tolist(),
            "r2": r2_score(observed, predicted),
            "hits": int(np.sum((np.sign(predicted) == np.sign(observed)) & (predicted != 0))),
            "slope": [line.slope, line.slope - t * line.stderr, line.slope + t * line.stderr],
            "intercept": [line.intercept, line.intercept - t * line.intercept_stderr, line.intercept + t * line.intercept_stderr],
        }
    )
for groups, each in ((12, 1), (9, 4)):
    values = rng.normal(size=(groups, each)) + rng.normal(size=(groups, 1))
    # Clusters of one size: the t-interval over the clusters' means.
    low, high = stats.ttest_1samp(values.mean(1), 0).confidence_interval(0.95)
    means.append({"values": values.ravel().tolist(), "each": each, "value": values.mean(), "low": low, "high": high})
golden = {"scipy": scipy.__version__, "sklearn": sklearn.__version__, "ridges": ridges, "qualities": qualities, "means": means}
Path(__file__).with_name("forecast.json").write_text(dumps(golden))
