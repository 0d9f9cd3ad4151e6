"""Rates of counts: a bold hand leaves more ink everywhere, and the offset takes that away.

Each pixel of the digits counts dark dots, 0 to 16 of them. How much of a digit's ink is in its
upper half? The count there grows with the ink of the whole digit, so its logarithm is the offset of
a Poisson regression: the coefficients are then of the rate, the share of the ink. On the right the
lines are the model's: each digit has one rate, whatever the hand. On the left the digits enter one
after another as the penalty weakens, those first whose rates are far from the usual one.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skreg import PoissonRegressorCV, RegularizationPathDisplay

images, digit = load_digits(return_X_y=True)
above, ink = images[:, :32].sum(axis=1), images.sum(axis=1)
X = np.eye(10)[digit]

# Some L2, because ten columns of digits and an intercept depend on each other.
settings = {"l1_ratio": 0.9, "rule": "1se", "cv": 10, "tol": 1e-8}
model = PoissonRegressorCV(**settings).fit(X, above, offset=np.log(ink))
rates = model.predict(np.eye(10), offset=np.zeros(10))
plain = PoissonRegressorCV(**settings).fit(X, above)
errors = [fit.cv_result_.mean.min() for fit in (model, plain)]
print(f"rates from {rates.min():.2f} ({rates.argmin()}) to {rates.max():.2f} ({rates.argmax()})")
print("CV mean deviance {:.1f} with the offset, {:.1f} without".format(*errors))

plt.rc("font", size=8)
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
names = [f"digit {k}" for k in range(10)]
RegularizationPathDisplay.from_estimator(model, feature_names=names, ax=left)
for k, color in ((rates.argmax(), "#C85200"), (rates.argmin(), "#00609A")):
    right.plot(ink[digit == k], above[digit == k], ".", color=color, markersize=3, alpha=0.5)
    ends = np.array([0, ink.max()])
    right.plot(ends, rates[k] * ends, color=color, label=f"digit {k}: {rates[k]:.2f} of its ink")
right.set(xlabel="ink (dark dots of the whole digit)", ylabel="of these in the upper half")
right.set(xlim=(0, None), ylim=(0, None))
right.legend(frameon=False)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "rates_of_counts.png", dpi=100)
