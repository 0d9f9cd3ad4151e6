"""A bound on the size of the coefficients and a penalty on it are one problem.

The Lasso can be said in two ways: "the smallest loss plus alpha times the sum of the absolute
coefficients", or "the smallest loss among coefficients whose absolute sum is at most t". Each t has
its alpha, and gives the same coefficients.

Left: the sum t that each alpha leads to; it grows as alpha falls. Right: the lines are the
coefficients of the penalised form along its path, drawn against t. The dots come from another
program altogether, a general optimiser of SciPy that was only told the bound t. They lie on the
lines.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from skreg import Lasso, RegularizationPathDisplay, regularization_path

data = load_diabetes()
X, y = StandardScaler().fit_transform(data.data), data.target - data.target.mean()
X, y = X[:, [1, 2, 3, 8]], y / y.std()
names = np.array(data.feature_names)[[1, 2, 3, 8]]
path = regularization_path(Lasso(), X, y)
size = np.abs(path.coefs).sum(axis=0)
bounds_on_size = np.array([0.2, 0.4, 0.6, 0.8])


def constrained(t):
    """Least squares with sum |w| <= t, where w is the difference of two positive parts."""
    gram, moment = X.T @ X / len(y), X.T @ y / len(y)
    difference = np.hstack([np.eye(4), -np.eye(4)])
    found = minimize(
        lambda v: 0.5 * (difference @ v) @ gram @ (difference @ v) - moment @ difference @ v,
        np.zeros(8),
        jac=lambda v: difference.T @ (gram @ difference @ v - moment),
        bounds=[(0, None)] * 8,
        constraints={"type": "ineq", "fun": lambda v: t - v.sum(), "jac": lambda v: -np.ones(8)},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    return difference @ found.x


figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
left.semilogx(path.alphas, size)
left.plot(np.interp(bounds_on_size, size, path.alphas), bounds_on_size, "o", color="C1")
left.invert_xaxis()
left.set(xlabel=r"penalty $\alpha$ (decreasing)", ylabel=r"bound $t$ = sum of $|w|$")
RegularizationPathDisplay.from_path(path, x="l1_norm", feature_names=names, ax=right)
for t in bounds_on_size:
    right.plot(np.full(4, t), constrained(t), "o", color="C1", markersize=5, zorder=3)
right.set_xlabel(r"bound $t$ = sum of $|w|$")

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "constrained_and_penalised.png", dpi=100)
