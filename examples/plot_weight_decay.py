"""Weight decay is the L2 penalty under gradient descent, but not under Adam.

An L2 penalty adds a multiple of each weight to its gradient; weight decay takes a share of each
weight after the step. Under gradient descent the two are the same thing (left: one lies on the
other).

Adam divides the gradient by its own recent size, penalty included. Where the loss has large
gradients the penalty then hardly counts; where it has next to none, the penalty is all there is,
and makes steps of full length. Here those are the weights from pixels at the border of the digits,
which are almost always blank: the L2 penalty makes them zero, and takes little from the others.
Weight decay stays outside of the division. By itself it would halve every weight (dotted); it does
so with blank pixels, and the loss pulls the others back up by much the same amount.

Each mark is a pixel: the length of its weights, relative to a network trained with neither.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # each runs the epochs it is given

X, y = load_digits(return_X_y=True)
X = X / 16
ink = np.sqrt(np.mean(X**2, axis=0))
n_steps = 60 * 9  # epochs and their batches
solvers = {  # their options, learning rate and alpha
    "gradient descent": ({"solver": "sgd", "momentum": 0.0}, 0.1, None),
    "Adam": ({"solver": "adam"}, 0.001, 0.003),
}

figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained", sharey=True)
for ax, (name, (options, rate, alpha)) in zip(axes, solvers.items(), strict=True):
    decay = np.log(2) / n_steps / rate
    alpha = alpha or decay
    lengths = []
    for a, d in ((0.0, 0.0), (alpha, 0.0), (0.0, decay)):
        model = MLPClassifier(
            50, alpha=a, weight_decay=d, learning_rate_init=rate, max_iter=60,
            n_iter_no_change=60, random_state=0, **options,
        ).fit(X, y)  # fmt: skip
        lengths.append(np.linalg.norm(model.coefs_[0], axis=1))
    ax.plot(ink, lengths[1] / lengths[0], "o", color="C0", markersize=6, label=f"L2, {alpha:.2g}")
    ax.plot(
        ink, lengths[2] / lengths[0], "x", color="C1", markersize=4, label=f"decay, {decay:.2g}"
    )
    ax.axhline(0.5, color="0.5", linestyle=":", linewidth=1, zorder=0)
    ax.set(title=name, xlabel="ink in the pixel (root mean square)")
    ax.legend(fontsize=9, loc="lower right")
axes[0].set_ylabel("length of the pixel's weights\nrelative to no penalty")

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "weight_decay.png", dpi=100)
