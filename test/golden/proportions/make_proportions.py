"""Golden Clopper-Pearson intervals from SciPy: python make_proportions.py writes proportions.json beside itself."""
import json
from pathlib import Path

import scipy
from scipy.stats import binomtest

cases = []
for count, of in ((0, 1), (1, 1), (0, 20), (3, 20), (20, 20), (7, 300), (1234, 5000), (18900, 378339)):
    interval = binomtest(count, of).proportion_ci(0.95, method="exact")
    cases.append({"count": count, "of": of, "low": interval.low, "high": interval.high})
Path(__file__).with_name("proportions.json").write_text(json.dumps({"scipy": scipy.__version__, "cases": cases}) + "\n")
