"""Weights of a network with no penalty, and with L1, L2 and elastic net.

Four networks learn to read digits from the same start. Without a penalty their weights keep a broad
distribution. L2 draws all of them towards zero, the more the less they do, and none is zero. L1
makes most of them exactly zero, which the histogram leaves out and the legend counts, and leaves
others large. The elastic net does some of both.

The titles say how many new digits each reads: most of the weights were hardly needed.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier, WeightHistogramDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # each runs the epochs it is given

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)


def fit(penalty, alpha):
    model = MLPClassifier(
        100, penalty=penalty, alpha=alpha, max_iter=80, learning_rate_init=0.003, random_state=0
    )
    return model.fit(X, y)


models = {
    "no penalty": fit(None, 0.0),
    "L1": fit("l1", 0.001),
    "L2": fit("l2", 0.003),
    "elastic net": fit("elasticnet", 0.001),
}
figure, axes = plt.subplots(2, 2, figsize=(7.2, 4.8), layout="constrained", sharex=True)
for ax, (name, model) in zip(axes.flat, models.items(), strict=True):
    shown = {"no penalty": models["no penalty"], name: model}  # one alone, or one over the other
    WeightHistogramDisplay.from_estimator(shown, layers=[0], ax=ax)
    ax.set_title(f"{name}: {model.score(X_test, y_test):.1%} right", fontsize=10)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "weight_histograms.png", dpi=100)
