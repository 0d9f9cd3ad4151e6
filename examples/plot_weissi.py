"""weissi and L2 when the layers of a network are rescaled.

Multiply what goes into the relu units by c and what comes out of them by 1/c, and the network
predicts the same as before: relu(c z) = c relu(z). Which of these networks one has is arbitrary.
An L2 penalty changes with c, and so punishes one network for how it is written down. weissi, a sum
of logarithms of the layers' norms and of L1 norms of the normalised layers, does not (left).

Right: a trained network is rescaled by c = 1/2, 1 or 2 and trained on. L2 spends the next epochs on
bringing the layers back to equal norms, which changes no prediction. weissi leaves the norms to the
loss, which moves them slowly.

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


def l2(weights):
    return sum(np.sum(w**2) / 2 for w in weights)


def weissi(weights):
    norms = [np.linalg.norm(w) for w in weights]
    return sum(np.log(a) / 2 + np.abs(w / a).sum() / 2 for w, a in zip(weights, norms, strict=True))


figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained")
factors = np.geomspace(0.5, 2, 21)
for value, style, color in ((l2, "--", "C0"), (weissi, "-", "C1")):
    for c in (0.5, 1.0, 2.0):
        model = MLPClassifier(
            50, penalty=value.__name__, alpha=0.003, solver="sgd", learning_rate_init=0.05,
            batch_size=50, max_iter=40, n_iter_no_change=40, random_state=0, warm_start=True,
        ).fit(X, y)  # fmt: skip
        into, out = model.coefs_
        if c == 1:
            values = np.array([value([f * into, out / f]) for f in factors])
            left.semilogx(factors, values / values[10], style, color=color, label=value.__name__)
        before = model.predict_proba(X)
        model.coefs_ = [c * into, out / c]
        model.intercepts_[0] *= c
        assert np.allclose(model.predict_proba(X), before, atol=1e-5)
        model.fit(X, y)  # it goes on from these weights
        norms = model.history_["weight_norms"][40:]
        right.semilogy(norms[:, 0] / norms[:, 1], style, color=color)
left.set(xlabel="factor c", ylabel="penalty relative to c = 1")
left.set_xticks([0.5, 1, 2], labels=["1/2", "1", "2"])
left.minorticks_off()
left.legend(fontsize=9)
right.set(xlabel="epochs after rescaling", ylabel="norm of layer 1 / norm of layer 2")
right.set_yticks([0.25, 0.5, 1, 2, 4], labels=["1/4", "1/2", "1", "2", "4"])
right.minorticks_off()

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "weissi.png", dpi=100)
