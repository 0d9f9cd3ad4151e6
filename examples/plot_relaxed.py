"""The relaxed Lasso: let the penalty select the features, and then take it off them.

One penalty does two things: it keeps noise out, and it shrinks what is kept. Where few features
matter and matter clearly, the first asks for more of it than the second allows, and the Lasso makes
peace by keeping many features of noise. A relaxed fit mixes the Lasso's coefficients with those of
least squares on the same features: a share gamma of the first, the rest of the second. The
cross-validation chooses gamma together with alpha.

In these generated data 6 of 80 features matter, with coefficients of 2 and less. The curves are the
errors for five shares, of which gamma = 1 is the Lasso itself. Less of the Lasso is better here, at
a stronger penalty. On the right are the coefficients of both against the true ones.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skreg import CVCurveDisplay, LassoCV

rng = np.random.default_rng(2)
n_samples, n_features = 100, 80
truth = np.zeros(n_features)
truth[:6] = [2.0, -1.6, 1.2, -0.9, 0.7, 0.5]
X = rng.normal(size=(n_samples, n_features))
y = X @ truth + rng.normal(0, 0.8, n_samples)

lasso = LassoCV(cv=10).fit(X, y)
relaxed = LassoCV(cv=10, relax=True).fit(X, y)
for name, model in (("Lasso", lasso), ("relaxed Lasso", relaxed)):
    kept = model.coef_ != 0
    error = np.linalg.norm(model.coef_ - truth)
    print(
        f"{name}: {kept[:6].sum()} of 6 signals, {kept[6:].sum()} of 74 noises, off by {error:.2f}"
    )

figure, (left, right) = plt.subplots(
    1, 2, figsize=(7.2, 3.6), width_ratios=[1.4, 1], layout="constrained"
)
CVCurveDisplay.from_estimator(relaxed, folds=False, ax=left)
right.axline((0, 0), slope=1, color="0.8", linewidth=1)
right.plot(truth, lasso.coef_, "o", color="#C85200", mfc="none", label="Lasso")
right.plot(truth, relaxed.coef_, ".", color="#00609A", label=f"relaxed, γ = {relaxed.relax_:g}")
right.set_xlabel("true coefficient", fontsize=8)
right.set_ylabel("estimate", fontsize=8)
right.tick_params(labelsize=8)
right.spines[["top", "right"]].set_visible(False)
right.legend(frameon=False, loc="upper left", fontsize=8)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "relaxed.png", dpi=100)
