"""Why an L1 penalty gives zeros, and an L2 penalty only smaller numbers.

When the features are uncorrelated, each coefficient can be chosen by itself, and what a penalty
does to it can be drawn: the penalised coefficient against that of least squares.

- L1 (left) takes the same amount from every coefficient, and stops at zero: the "soft threshold".
  Whatever is smaller than the threshold becomes exactly zero.
- L2 (right) multiplies by lambda / (lambda + alpha), where lambda is the variance of the feature.
  Nothing becomes zero, and features that vary little shrink most.

The lines are these two formulas; the dots are coefficients fitted to generated data.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skreg import ElasticNet, Lasso

rng = np.random.default_rng(0)
n, p, alpha = 200, 24, 1.0
Z = rng.normal(size=(n, p))
Q = np.linalg.qr(Z - Z.mean(axis=0))[0] * np.sqrt(n)  # uncorrelated columns of variance 1
y = Q @ np.linspace(-3, 3, p) + rng.normal(size=n)
least_squares = Q.T @ y / n
span = np.array([-4.0, 4.0])

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained", sharey=True)
for ax in (left, right):
    ax.plot(span, span, color="0.75", linestyle="--", label="no penalty")
    ax.set_xlabel("least-squares coefficient")
grid = np.linspace(*span, 401)
lasso = Lasso(alpha=alpha).fit(Q, y)
left.plot(grid, np.sign(grid) * np.maximum(np.abs(grid) - alpha, 0), label=r"threshold $\alpha$")
left.plot(least_squares, lasso.coef_, "o", color="C0", markersize=4)
left.set(title=rf"L1, $\alpha$ = {alpha:g}", ylabel="penalised coefficient")

for place, variance in enumerate((2.0, 0.5)):
    X = Q * np.sqrt(variance)
    ridge = ElasticNet(alpha=alpha, l1_ratio=0).fit(X, y)
    color, style, marker = f"C{place}", ("-", "-.")[place], ("o", "s")[place]
    factor = variance / (variance + alpha)
    name = rf"$\lambda$ = {variance:g}: times {factor:.2g}"
    right.plot(span, factor * span, color=color, linestyle=style, label=name)
    right.plot(least_squares / np.sqrt(variance), ridge.coef_, marker, color=color, markersize=4)
right.set(title=rf"L2, $\alpha$ = {alpha:g}", xlim=(-4.2, 4.2), ylim=(-4.2, 4.2))
for ax in (left, right):
    ax.legend(loc="upper left", fontsize=8, frameon=False)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "soft_threshold.png", dpi=100)
