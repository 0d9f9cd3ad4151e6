"""Under- and over-fitting of a network, seen in its training and validation loss.

The same network is trained three times on half of the diabetes data; the other half is for
validation. With too few and too small steps both losses are still on their way down when training
ends: it under-fits. With larger steps and no penalty the training loss goes on falling, while the
validation loss turns around and rises: the network learns the noise of its rows, it over-fits. With
an L2 penalty the two losses stay together.

The note in each picture is the display's own. It is written where the numbers say so, and only
there: the third picture has none.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from skreg import MLPRegressor, TrainingHistoryDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # each runs the epochs it is given

X, y = load_diabetes(return_X_y=True)
X, X_val, y, y_val = train_test_split(scale(X), scale(y), test_size=0.5, random_state=1)
settings = {
    "small steps": {"alpha": 0.0, "learning_rate_init": 0.0001},
    "no penalty": {"alpha": 0.0, "learning_rate_init": 0.003},
    r"L2 penalty, $\alpha$ = 0.2": {"alpha": 0.2, "learning_rate_init": 0.003},
}

figure, axes = plt.subplots(1, 3, figsize=(7.2, 3.2), layout="constrained", sharey=True)
for ax, (title, setting) in zip(axes, settings.items(), strict=True):
    model = MLPRegressor(50, max_iter=100, n_iter_no_change=100, random_state=0, **setting)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    TrainingHistoryDisplay.from_estimator(model, ax=ax)
    ax.set_title(title)
    ax.label_outer()
axes[0].set_ylim(0.1, 0.95)  # of all three

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "training_curves.png", dpi=100)
