"""Finding a handful of genes among thousands, from a few dozen patients.

With 3,000 genes and 72 patients least squares has no answer: countless combinations of genes fit
perfectly. A Lasso assumes that few genes matter, and looks for them.

The expression levels are generated as such measurements look: genes come in pathways of 20 that
rise and fall together, levels are positive, skewed, and taken in logarithms. Four genes (their
names end in "*") drive the outcome, with coefficients of about 2. The four largest bars are theirs.
The false ones are small, and the one-standard-error rule (1se) drops most of them. All true
genes are shrunk: that is the price of the selection.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skreg import CoefficientDisplay, LassoCV, RegularizationPathDisplay

rng = np.random.default_rng(2)
n_patients, n_pathways, in_pathway = 72, 150, 20
pathways = rng.normal(size=(n_patients, n_pathways))
own = rng.normal(size=(n_patients, n_pathways, in_pathway))
levels = np.exp(6 + 0.6 * pathways[:, :, None] + 0.8 * own).reshape(n_patients, -1)
X = np.log2(levels)
X = (X - X.mean(axis=0)) / X.std(axis=0)

true = np.array([7, 640, 1333, 2001])
y = X[:, true] @ [2.0, -2.0, 1.8, 1.6] + rng.normal(0, 1, n_patients)
names = [f"gene {j}{'*' if j in true else ''}" for j in range(X.shape[1])]

model = LassoCV(cv=10).fit(X, y)
kept = np.flatnonzero(model.coef_)
print(f"{len(kept)} of {X.shape[1]} genes kept, {np.isin(true, kept).sum()} of the 4 true ones")

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.6), layout="constrained")
RegularizationPathDisplay.from_estimator(model, feature_names=names, n_labels=4, ax=left)
CoefficientDisplay.from_estimator(model, feature_names=names, n_bars=10, ax=right)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "gene_selection.png", dpi=100)
