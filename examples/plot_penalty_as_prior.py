"""A penalty as a prior: ridge regression finds the most probable coefficient.

Before seeing data, say how large a coefficient may be: normally distributed around 0 with standard
deviation tau (the prior). The data, with noise of standard deviation sigma, have their own opinion
(the likelihood, largest at least squares). Bayes' rule multiplies the two. The product, the
posterior, is largest exactly where ``Ridge(alpha=sigma**2 / tau**2)`` puts the coefficient.

With few rows (left) the prior pulls the answer towards 0; with many (right) the data decide, since
alpha stays and the sum of squares grows. In the same way the Lasso belongs to a prior with a sharp
peak at 0, the Laplace distribution.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skreg import Ridge

rng = np.random.default_rng(7)
sigma, tau, truth = 2.0, 0.5, 1.0
w = np.linspace(-1.5, 4, 1101)


def density(log_values):
    values = np.exp(log_values - log_values.max())
    return values / (values.sum() * (w[1] - w[0]))


figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
for ax, n in zip(axes, (8, 80), strict=True):
    x = rng.normal(size=n)
    y = truth * x + rng.normal(0, sigma, size=n)
    log_prior = -0.5 * (w / tau) ** 2
    log_likelihood = -0.5 * ((y[:, None] - x[:, None] * w) ** 2).sum(axis=0) / sigma**2
    ax.plot(w, density(log_prior), linestyle="--", label="prior")
    ax.plot(w, density(log_likelihood), linestyle="-.", label="likelihood")
    ax.plot(w, density(log_prior + log_likelihood), linewidth=2, label="posterior")
    ridge = Ridge(alpha=sigma**2 / tau**2, fit_intercept=False).fit(x[:, None], y)
    ax.axvline(ridge.coef_[0], color="0.25", linewidth=1, label="Ridge")
    ax.set(title=f"{n} rows", xlabel="coefficient", ylabel="density", ylim=(0, None))
axes[1].legend(frameon=False)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "penalty_as_prior.png", dpi=100)
