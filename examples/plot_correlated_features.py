"""Features that say the same: the Lasso picks one, the elastic net keeps the group.

Three thermometers (t1, t2, t3) hang side by side and differ by a little noise; a rain gauge stands
alone. What is measured depends on the temperature and the rain. To the Lasso the thermometers are
interchangeable, so it takes the one that by chance fits best, and the others stay at zero. Another
sample chooses another (the seed 1 does), so the choice says nothing about which is right.

An elastic net adds a squared penalty, which is smaller for three equal coefficients than for one
large and two zeros. The three enter together and share the effect.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skreg import ElasticNet, Lasso, RegularizationPathDisplay, regularization_path

rng = np.random.default_rng(0)
n = 100
temperature, rain = rng.normal(size=(2, n))
thermometers = temperature[:, None] + 0.05 * rng.normal(size=(n, 3))
X = np.column_stack([thermometers, rain, rng.normal(size=(n, 3))])
y = 3 * temperature - 1.5 * rain + rng.normal(size=n)
names = ["t1", "t2", "t3", "rain", "noise 1", "noise 2", "noise 3"]

figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained", sharey=True)
models = Lasso(standardize=True), ElasticNet(l1_ratio=0.5, standardize=True)
for ax, model, n_labels in zip(axes, models, (2, 4), strict=True):
    path = regularization_path(model, X, y, alphas=np.geomspace(6, 0.06, 60))
    RegularizationPathDisplay.from_path(path, feature_names=names, n_labels=n_labels, ax=ax)
    ax.set_title(type(model).__name__)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "correlated_features.png", dpi=100)
