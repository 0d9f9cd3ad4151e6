"""Two hundred digits, as they are and changed at random in every step.

A convolutional network learns its 200 digits by heart, and reads most new ones. It has never seen a
digit that does not stand in the middle, and misreads many that are moved by a single pixel. With
`augment` each step sees the images of its batch moved, enlarged or made smaller, by other amounts
every time; what is predicted is never changed. The second network reads more new digits, and most
of those that are moved.

On the right are the 3 x 3 filters of its first layer: they look for ink where they are orange and
for none where they are blue, which makes edges and strokes of several directions.

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

from skreg import ConvClassifier, FilterDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # each runs the epochs it is given

digits = load_digits()
X, X_new, y, y_new = train_test_split(
    digits.images / 16, digits.target, train_size=200, stratify=digits.target, random_state=0
)
# One pixel up, down, to the left and to the right, with an empty row or column on the other side.
padded = np.pad(X_new, [(0, 0), (1, 1), (1, 1)])
moved = [padded[:, 1 + i : 9 + i, 1 + j : 9 + j] for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1))]

models, accuracy = {}, {}
for name, augment in {"as they are": None, "changed": {"shift": 1, "scale": 0.15}}.items():
    models[name] = model = ConvClassifier(
        (16, 32), kernel_size=3, augment=augment, learning_rate_init=0.01, batch_size=50,
        learning_rate="one_cycle", max_iter=300, random_state=0,
    ).fit(X, y)  # fmt: skip
    away = np.mean([model.score(images, y_new) for images in moved])
    accuracy[name] = [model.score(X, y), model.score(X_new, y_new), away]

figure, axes = plt.subplots(1, 2, figsize=(7.2, 3), layout="constrained", width_ratios=[1.1, 1])
for place, (name, values) in enumerate(accuracy.items()):
    where = np.arange(3) + 0.38 * place
    bars = axes[0].bar(where, values, 0.36, label=f"trained on digits {name}")
    axes[0].bar_label(bars, [f"{value:.0%}" for value in values], fontsize=8)
axes[0].set_xticks(
    np.arange(3) + 0.19, ["its own\n200 digits", "new digits", "new, one\npixel off"]
)
axes[0].set(ylabel="accuracy", ylim=(0, 1.35), yticks=[0, 0.5, 1])
axes[0].legend(loc="upper left", fontsize=8, frameon=False)
FilterDisplay.from_estimator(models["changed"], ax=axes[1])

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "images.png", dpi=100)
