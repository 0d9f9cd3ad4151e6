"""How the held-out error depends on the penalty, for a Lasso and for Ridge.

The diabetes data with all pairwise interactions. Both curves are flat around their minimum: the
one-standard-error rule moves to a stronger penalty, which costs almost no accuracy and leaves a
Lasso with far fewer features, a Ridge with far fewer degrees of freedom (the axes on top).

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skreg import CVCurveDisplay, LassoCV, RidgeCV

data = load_diabetes()
interactions = PolynomialFeatures(degree=2, interaction_only=True, include_bias=False)
X = StandardScaler().fit_transform(interactions.fit_transform(data.data))

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained", sharey=True)
models = LassoCV(cv=5), RidgeCV(cv=5, scoring="neg_mean_squared_error")
for ax, model in zip(axes, models, strict=True):
    CVCurveDisplay.from_estimator(model.fit(X, data.target), ax=ax)
    ax.set_title(type(model).__name__)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "cv_curve.png", dpi=100)
