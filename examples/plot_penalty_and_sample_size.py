"""The right penalty falls as the data grow, and cross-validation follows it.

A penalty buys steadiness at the price of bias. With more rows there is less noise in the
coefficients to be steadied, so less penalty is worth its price. For the Lasso, theory puts the
right alpha near sigma * sqrt(2 log(p) / n): the height that the largest of p pure noise
correlations reaches.

Left: the alpha that cross-validation chooses (median and quartiles of 20 samples) falls at the
rate of the theory, without being told sigma; it is smaller, because it aims at prediction, which
can bear some noise features better than too much shrinkage. Right: an alpha that was right for 50
rows is too strong for 3,200, and its error stays up while that of the chosen alpha falls.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skreg import Lasso, LassoCV

rng = np.random.default_rng(0)
p, sigma, sizes, n_samples = 50, 2.0, np.array([50, 100, 200, 400, 800, 1600, 3200]), 20
w = np.r_[[2.0, -1.5, 1.0, -0.7, 0.5], np.zeros(p - 5)]
chosen, excess = np.empty((len(sizes), n_samples)), np.empty((2, len(sizes), n_samples))
fixed = None
for i, n in enumerate(sizes):
    for k in range(n_samples):
        X = rng.normal(size=(n, p))
        y = X @ w + rng.normal(0, sigma, n)
        model = LassoCV(cv=5).fit(X, y)
        chosen[i, k] = model.alpha_
        # The expected squared error of a new row, above that of the noise.
        excess[0, i, k] = ((model.coef_ - w) ** 2).sum()
    fixed = np.median(chosen[0])
    for k in range(n_samples):
        X = rng.normal(size=(n, p))
        y = X @ w + rng.normal(0, sigma, n)
        excess[1, i, k] = ((Lasso(alpha=fixed).fit(X, y).coef_ - w) ** 2).sum()

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
low, middle, high = np.quantile(chosen, [0.25, 0.5, 0.75], axis=1)
left.loglog(sizes, sigma * np.sqrt(2 * np.log(p) / sizes), "--", color="C1", label="theory")
left.errorbar(sizes, middle, [middle - low, high - middle], fmt="o-", color="C0", label="chosen")
left.set(xlabel="rows n", ylabel=r"penalty $\alpha$")
right.loglog(sizes, excess[1].mean(axis=1), "s--", color="C1", label=rf"$\alpha$ = {fixed:.2g}")
right.loglog(sizes, excess[0].mean(axis=1), "o-", color="C0", label="chosen")
right.set(xlabel="rows n", ylabel="squared error above the noise")
for ax in (left, right):
    ax.legend(frameon=False)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "penalty_and_sample_size.png", dpi=100)
