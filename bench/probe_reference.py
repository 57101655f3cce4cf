"""scikit-learn's classifiers on the activations that bench/probe-kinds.ts dumped, beside the directions trained there.

    python bench/probe_reference.py DUMP.safetensors

Rows are centred and scaled as a whole, as src/behavior/logistic-probe.ts does. Logistic regression is solved by newton-cholesky, and by lbfgs,
whose own distance to it is printed beside ours; the discriminant by lsqr with Ledoit and Wolf's shrinkage. Printed are 1 - cosine, the largest over
all strengths, and the ratio of lengths; exits 1 where a cosine is below 0.999.
"""
import sys
import time
import warnings

import numpy as np
from safetensors import safe_open
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")


def apart(a, b):
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    return float(np.sum((a - b) ** 2) / 2)  # 1 - cosine without its cancellation


def loss(x, y, fit_w, strength):
    """The penalised loss at weights w, with the intercept that is best for them."""
    margins = x @ fit_w
    low, high = -1e3, 1e3
    for _ in range(200):  # the derivative rises with the intercept
        b = (low + high) / 2
        if np.sum(1 / (1 + np.exp(-(margins + b))) - y) > 0:
            high = b
        else:
            low = b
    m = np.where(y == 1, margins + b, -(margins + b))
    return 0.5 * fit_w @ fit_w + strength * np.logaddexp(0, -m).sum()


worst = 0.0
print("| layer | rows × D | condition | LDA | logistic, worst C | lbfgs | length | excess loss | ours, s | newton-cholesky, s |")
print("|---|---|---|---|---|---|---|---|---|---|")
with safe_open(sys.argv[1], "np") as file:
    names = list(file.keys())
    times = file.metadata()
    for layer in sorted(int(name.split(".")[1]) for name in names if name.startswith("rows.")):
        rows = file.get_tensor(f"rows.{layer}").astype(np.float64)
        labels = file.get_tensor(f"labels.{layer}").astype(int)
        lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(rows, labels).coef_[0]
        lda_apart = apart(lda, file.get_tensor(f"lda.{layer}").astype(np.float64))
        x = rows - rows.mean(0)
        x /= np.sqrt((x**2).sum(1).mean())
        singular = np.linalg.svd(x, compute_uv=False)
        found = []
        for name in names:
            if not (name.startswith("logistic-") and name.endswith(f".{layer}")):
                continue
            c = float(name[len("logistic-") : -len(f".{layer}")])
            ours = file.get_tensor(name).astype(np.float64)
            start = time.perf_counter()
            exact = LogisticRegression(C=c, tol=1e-12, max_iter=10_000, solver="newton-cholesky").fit(x, labels).coef_[0]
            seconds = time.perf_counter() - start
            lbfgs = LogisticRegression(C=c, tol=1e-10, max_iter=100_000).fit(x, labels).coef_[0]
            best = loss(x, labels, exact, c)
            found.append((apart(ours, exact), c, apart(lbfgs, exact), abs(np.linalg.norm(ours) / np.linalg.norm(exact) - 1),
                          loss(x, labels, ours, c) / best - 1, float(times[name]), seconds))
        bad = max(found)
        worst = max(worst, lda_apart, bad[0])
        print(f"| {layer} | {rows.shape[0]} × {rows.shape[1]} | {singular[0] / singular[singular > singular[0] * 1e-12][-1]:.0f} | {lda_apart:.1e} "
              f"| {bad[0]:.1e} (C = {bad[1]:g}) | {max(f[2] for f in found):.1e} | {max(f[3] for f in found):.1e} "
              f"| {max(f[4] for f in found):.1e} | {sum(f[5] for f in found):.2f} | {sum(f[6] for f in found):.2f} |")
print(f"largest 1 - cosine: {worst:.1e}")
sys.exit(0 if worst < 1e-3 else 1)
