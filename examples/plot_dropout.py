"""Dropout at several rates: the network can no longer learn its rows by heart.

Five hundred digits are for training, and a fifth of their labels are replaced by random ones. A
network of 200 hidden units learns them all, the wrong ones too, and pays for it on new digits.

With dropout each step leaves out a share of the hidden units, others every time. What only a few
units together could remember is lost; what many units know stays. The accuracy on the training
labels falls to the share that is right, 82%, and the accuracy on new digits, whose labels are all
right, rises, until at a rate of 0.9 too little of the network is left.

Dots are three random splits, lines their means.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skreg import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # each runs the epochs it is given

digits, labels = load_digits(return_X_y=True)
rates = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9]
accuracy = np.empty((2, len(rates), 3))
for seed in range(3):
    X, X_new, y, y_new = train_test_split(digits / 16, labels, train_size=500, random_state=seed)
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(500) < 0.2, rng.integers(0, 10, 500), y)
    for place, rate in enumerate(rates):
        model = MLPClassifier(
            200, dropout=rate, alpha=0.0, learning_rate_init=0.01, batch_size=50,
            max_iter=60, n_iter_no_change=60, random_state=seed,
        ).fit(X, y)  # fmt: skip
        accuracy[:, place, seed] = model.score(X, y), model.score(X_new, y_new)

figure, ax = plt.subplots(figsize=(4.8, 3.4), layout="constrained")
names = "training digits, a fifth with a random label", "new digits"
for values, name, style, color in zip(accuracy, names, ("o--", "s-"), ("C0", "C1"), strict=True):
    ax.plot(rates, values, style[0], color=color, markersize=3, alpha=0.6)
    ax.plot(rates, values.mean(axis=1), style, color=color, markersize=5, label=name)
ax.set(xlabel="dropout rate of the hidden layer", ylabel="accuracy")
ax.legend(fontsize=9)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "dropout.png", dpi=100)
