"""Which features enter a Lasso as its penalty weakens, and where cross-validation stops.

The diabetes data with all pairwise interactions: 10 measurements, 55 columns. Body mass index (bmi)
and s5 come first and hardly change afterwards. Many interactions grow only to the right of the
minimum of the cross-validation curve, where the model begins to fit noise.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skreg import LassoCV, RegularizationPathDisplay

data = load_diabetes()
interactions = PolynomialFeatures(degree=2, interaction_only=True, include_bias=False)
X = StandardScaler().fit_transform(interactions.fit_transform(data.data))
names = interactions.get_feature_names_out(data.feature_names)

model = LassoCV(cv=5).fit(X, data.target)

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained", sharey=True)
RegularizationPathDisplay.from_estimator(model, feature_names=names, ax=left)
end = model.alphas_[-1]
RegularizationPathDisplay.from_estimator(model, feature_names=names, labels_at=end, ax=right)
left.set_title("named: the largest in the model")
right.set_title("named: the largest at the end")

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "regularization_path.png", dpi=100)
