"""Batch normalisation makes a deep network trainable, over a wide range of learning rates.

Six hidden layers of logistic units: each passes on a gradient several times smaller than it got,
so that next to nothing reaches the first ones, and gradient descent gets nowhere (left, dashed).

Batch normalisation shifts and scales what goes into each unit so that it has mean 0 and variance 1
over the batch. The units then work where they are steep, and the scale of a layer's weights has no
influence on what comes out of it. The same network learns (left, solid), and does so with learning
rates that differ by a factor of a hundred (right; dots are three random splits).

With relu units, whose gradient does not fade, less is gained.

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
rates = np.geomspace(0.001, 10, 7)

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained")
for normalization, style, color in ((None, "o--", "C0"), ("batch", "s-", "C1")):
    accuracy = np.empty((len(rates), 3))
    for place, rate in enumerate(rates):
        for seed in range(3):
            X, X_test, y, y_test = train_test_split(
                digits / 16, labels, test_size=0.5, random_state=seed
            )
            model = MLPClassifier(
                [50] * 6, activation="logistic", solver="sgd", normalization=normalization,
                learning_rate_init=rate, batch_size=50, max_iter=10, random_state=seed,
            ).fit(X, y)  # fmt: skip
            accuracy[place, seed] = model.score(X_test, y_test)
            if seed == 0 and place == 3:
                epochs = np.arange(1, model.n_iter_ + 1)
                left.plot(epochs, model.history_["loss"], style[1:], color=color)
    right.semilogx(rates, accuracy, style[0], color=color, markersize=3, alpha=0.6)
    name = "batch normalisation" if normalization else "none"
    right.plot(rates, accuracy.mean(axis=1), style, color=color, markersize=5, label=name)
left.set(xlabel=f"epoch, at learning rate {rates[3]:.2g}", ylabel="training log-loss (nats)")
right.set(xlabel="learning rate", ylabel="test accuracy")
right.legend(fontsize=9)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "batch_normalization.png", dpi=100)
