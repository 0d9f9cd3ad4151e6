"""Ridge regression gives up directions, not features.

Columns that nearly repeat one another leave a direction in which the data hardly vary: one up, the
other down. Least squares has to guess there, and finds large coefficients of opposite sign. Ridge
multiplies what least squares finds in the i-th singular direction by d_i^2 / (d_i^2 + alpha): next
to nothing where d_i is small, and almost 1 where it is large.

In the diabetes data two blood values, s1 and s2, have a correlation of 0.9. Left: the direction
d10 is given up first. The dashed line counts what is left, the degrees of freedom. Right: while
that happens, the coefficients of s1 and s2, far apart at the end, come together; bmi and bp
hardly move.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from skreg import RegularizationPathDisplay, RidgeCV, ShrinkageDisplay

data = load_diabetes()
X = StandardScaler().fit_transform(data.data)
model = RidgeCV(cv=10, scoring="neg_mean_squared_error").fit(X, data.target)

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
ShrinkageDisplay.from_estimator(model, X, alphas=model.alphas_, ax=left)
RegularizationPathDisplay.from_estimator(
    model, feature_names=data.feature_names, labels_at=model.alphas_[-1], n_labels=5, ax=right
)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "shrinkage.png", dpi=100)
