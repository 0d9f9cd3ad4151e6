"""An L1 penalty shrinks large coefficients as much as small ones; other penalties spare them.

Ten of 100 features matter, all by 1. To leave the others out the Lasso needs a penalty that takes
as much from the ten, and with less of it many others come in. The adaptive Lasso penalises each
feature by what a first fit makes of it, MCP no coefficient beyond three times alpha, and the
relaxed Lasso fits anew the features that the Lasso has selected. At small alphas MCP jumps: its
objective has several minima, and the one that is found is not the same at all alphas.

On the right alpha is chosen by cross-validation, in six samples: dots are coefficients of the ten,
lines their means, and below is how many other features are in the model.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skreg import Lasso, LassoCV, regularization_path

n, p, true = 100, 100, 10
w = np.zeros(p)
w[:true] = 1.0
kinds = {
    "Lasso": {},
    "relaxed Lasso": {"relax": True},
    "adaptive Lasso": {"adaptive": 1.0},
    "MCP": {"concave": "mcp"},
}
found = {name: [] for name in kinds}
for seed in range(6):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = X @ w + rng.normal(size=n)
    for name, options in kinds.items():
        model = LassoCV(standardize=True, alphas=30, **options).fit(X, y)
        found[name].append(model.coef_)

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
for ax, name in ((left, "Lasso"), (middle, "MCP")):
    model = Lasso(standardize=True, concave=kinds[name].get("concave"))
    path = regularization_path(model, X, y, alphas=np.geomspace(1.3, 0.05, 200))
    ax.plot(path.alphas, path.coefs[true:].T, color="0.75", linewidth=0.8)
    ax.plot(path.alphas, path.coefs[:true].T, color="C0", linewidth=1)
    ax.axhline(1.0, color="0.3", linestyle=":", linewidth=1)
    ax.set(xscale="log", xlabel=r"penalty $\alpha$", title=name, ylim=(-0.45, 1.65))
    ax.invert_xaxis()
left.set_ylabel("coefficients")

for place, coefs in enumerate(found.values()):
    those = np.array(coefs)[:, :true].ravel()
    spread = np.random.default_rng(0).uniform(-0.25, 0.25, len(those))
    right.plot(place + spread, those, ".", color="C0", markersize=3, alpha=0.5)
    right.plot([place - 0.35, place + 0.35], [those.mean()] * 2, color="0.1")
    others = np.mean([np.count_nonzero(coef[true:]) for coef in coefs])
    right.text(place, -0.38, f"{others:.0f} others", ha="center", fontsize=9)
right.axhline(1.0, color="0.3", linestyle=":", linewidth=1)
right.set(ylim=(-0.45, 1.65), title="chosen by cross-validation")
right.set_xticks(range(len(found)), labels=[name.replace(" ", "\n") for name in found])

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "unbiased.png", dpi=100)
