"""Two answers of one cross-validation: the smallest error, and the simplest model as good as it.

The curve of the cross-validation error is flat around its minimum, and its exact place is chance:
another split into folds would move it. The one-standard-error rule takes the strongest penalty
whose error is within one standard error of the minimum. It predicts nearly as well with fewer
features.

In these generated data 5 of 60 features matter (s1 to s5), the others (n1 to n55) are noise. At the
minimum (min) the Lasso keeps noise too, with small coefficients. 1se drops the noise, and pays for
it: it shrinks what it keeps somewhat more, and gives up s5, the weakest of the five.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skreg import CoefficientDisplay, CVCurveDisplay, LassoCV

rng = np.random.default_rng(0)
n, n_signal, n_noise = 120, 5, 55
X = rng.normal(size=(n, n_signal + n_noise))
y = X[:, :n_signal] @ [2.0, -1.6, 1.2, 0.9, -0.7] + rng.normal(0, 2, n)
names = [f"s{j + 1}" for j in range(n_signal)] + [f"n{j + 1}" for j in range(n_noise)]

model = LassoCV(cv=10).fit(X, y)
for rule in ("min", "1se"):
    index = model.cv_result_.select(rule)
    kept = model.path_.coefs[:, index] != 0
    print(f"{rule}: {kept[:n_signal].sum()} of 5 signals, {kept[n_signal:].sum()} of 55 noises")

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.6), layout="constrained")
CVCurveDisplay.from_estimator(model, ax=left)
CoefficientDisplay.from_estimator(model, feature_names=names, n_bars=12, ax=right)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "min_and_1se.png", dpi=100)
