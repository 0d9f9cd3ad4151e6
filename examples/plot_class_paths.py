"""Which measurements tell three kinds of wine apart, and which belong to which kind.

Multinomial logistic regression with an L1 penalty has a coefficient for each pair of a feature and
a class, and most of them become zero. Of two classes the larger predictor wins, so that what counts
is the difference: proline speaks for class 0 where it is high, and for class 1 where it is low;
flavanoids speak against class 2. The one-standard-error rule chooses the penalty by the log-loss of
rows held out.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from skreg import CVCurveDisplay, LogisticRegressionCV, RegularizationPathDisplay

data = load_wine()
X = StandardScaler().fit_transform(data.data)
names = [name.split("/")[0] for name in data.feature_names]

model = LogisticRegressionCV(alphas=100, l1_ratios=[1.0], rule="1se", cv=10)
model.fit(X, data.target)
kept = (model.coef_ != 0).sum(axis=1)
print(f"coefficients kept of 13: {kept.tolist()}, accuracy {model.score(X, data.target):.3f}")

figure, axes = plt.subplots(2, 2, figsize=(8, 6.4), layout="constrained")
*paths, curve = axes.ravel()
for ax in paths[1:]:
    ax.sharex(paths[0])
    ax.sharey(paths[0])
RegularizationPathDisplay.from_estimator(model, feature_names=names, ax=paths)
CVCurveDisplay.from_estimator(model, ax=curve)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "class_paths.png", dpi=100)
