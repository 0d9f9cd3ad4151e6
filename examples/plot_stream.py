"""A stream that changes: blocks of rows arrive, and `partial_fit` adds each to the fit.

Eight sensors and one answer, simulated: two of the sensors matter, and after half of the 60 blocks
one of these breaks, and a third takes over. The Lasso of all rows so far believes in the average of
both times. With ``decay=0.8`` the weights of earlier blocks fall by a fifth with each new one, and
the fit follows within about ten blocks, at the price of more noise. No row is kept in either.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skreg import Lasso

BLOCKS, ROWS, SENSORS = 60, 50, 8
rng = np.random.default_rng(0)


def block(k):
    """The rows of one block."""
    X = rng.standard_normal((ROWS, SENSORS))
    coef = np.zeros(SENSORS)
    coef[0], coef[1 if k < BLOCKS // 2 else 2] = 1.0, 0.7
    return X, X @ coef + rng.standard_normal(ROWS)


models = {"all rows so far": (Lasso(alpha=0.05), 1.0), "decay=0.8": (Lasso(alpha=0.05), 0.8)}
coefs = {name: [] for name in models}
for k in range(BLOCKS):
    X, y = block(k)
    for name, (model, decay) in models.items():
        coefs[name].append(model.partial_fit(X, y, decay=decay).coef_)
model = models["all rows so far"][0]
print(
    f"{model.n_samples_seen_} rows seen, coefficients {model.coef_[:3].round(2)} of the first three"
)

plt.rc("font", size=8)
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
named = {0: ("always matters", "#00609A"), 1: ("breaks", "#C85200"), 2: ("takes over", "#7A4EA0")}
for ax, (name, path) in zip(axes, coefs.items(), strict=True):
    path = np.array(path)
    ax.plot(path[:, 3:], color="0.75", linewidth=0.8)
    for j, (what, color) in named.items():
        ax.plot(path[:, j], color=color, label=what)
    ax.axvline(BLOCKS / 2, color="0.5", linewidth=0.8, linestyle=":")
    ax.set(title=name, xlabel=f"blocks of {ROWS} rows", ylim=(-0.3, 1.4))
axes[0].set_ylabel("coefficient")
axes[0].legend(frameon=False, ncols=3, loc="upper center")

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "stream.png", dpi=100)
