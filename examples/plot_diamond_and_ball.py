"""The diamond and the ball: why a Lasso drops a feature that ridge regression keeps.

Both models choose, among the coefficients of one "size", those with the smallest loss: they stop
where an ellipse of equal loss first touches the shape of that size. The diamond has its corners on
the axes, and an ellipse that comes from the side meets a corner first: one coefficient is exactly
zero. The ball has no corners, so the point where it is touched lies off the axes.

The data are two columns of the diabetes data, standardised: body mass index (bmi) and blood sugar
(s6). The dotted line is where the solution goes when the penalty falls to nothing.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes

from skreg import Lasso, PenaltyGeometryDisplay, Ridge

X, y = load_diabetes(return_X_y=True, as_frame=True)
X = X[["bmi", "s6"]]

figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.6), layout="constrained")
models = Lasso(alpha=20, standardize=True), Ridge(alpha=400, standardize=True)
for ax, model in zip(axes, models, strict=True):
    PenaltyGeometryDisplay.from_estimator(model.fit(X, y), X, y, ax=ax)
    ax.set_title(type(model).__name__)
    print(type(model).__name__, *X.columns, model.coef_.round(1))

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "diamond_and_ball.png", dpi=100)
