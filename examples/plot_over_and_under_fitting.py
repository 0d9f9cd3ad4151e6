"""Over- and under-fitting, seen in the training and the validation error.

A polynomial of degree 12 is fitted to 14 noisy points with a ridge penalty. Going to the right the
penalty falls and the curve may bend more. The training error always falls with it. The error on new
points falls at first, as the curve takes on the shape of the data, and then rises, as it takes on
their noise. Where both errors are high the model under-fits; where they part it over-fits.

Right: the fits at the three penalties that are marked on the left.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import PolynomialFeatures

from skreg import Ridge, regularization_path


def features(x):
    return PolynomialFeatures(12, include_bias=False).fit_transform(x[:, None])


rng = np.random.default_rng(1)
x, x_new = np.linspace(-1, 1, 14), np.linspace(-1, 1, 500)
y, y_new = (np.sin(3 * at) + rng.normal(0, 0.4, at.size) for at in (x, x_new))

alphas = np.geomspace(1e3, 1e-8, 111)
path = regularization_path(Ridge(standardize=True), features(x), y, alphas=alphas)
training, validation = (
    ((target[:, None] - features(at) @ path.coefs - path.intercepts) ** 2).mean(axis=0)
    for at, target in ((x, y), (x_new, y_new))
)
best = alphas[np.argmin(validation)]
marked = {"under-fit": (1e2, ":"), "best": (best, "-"), "over-fit": (1e-6, "--")}

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
left.loglog(alphas, training, "--", color="C0", label="training")
left.loglog(alphas, validation, "-", color="C1", label="validation")
left.set(xlabel=r"penalty $\alpha$ (decreasing)", ylabel="mean squared error")
left.invert_xaxis()
right.plot(x, y, "o", color="0.6", markersize=4)
for place, (name, (alpha, style)) in enumerate(marked.items()):
    left.axvline(alpha, color=f"C{place + 2}", linestyle=style, linewidth=1)
    right.plot(
        x_new, path.predict(features(x_new), alpha), style, color=f"C{place + 2}", label=name
    )
right.set(xlabel="x", ylabel="y")
for ax in (left, right):
    ax.legend(fontsize=9)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "over_and_under_fitting.png", dpi=100)
