"""A table with numbers, text and holes: one Pipeline, tuned as a whole.

Real tables have missing values and columns of text. What fills the holes, scales the numbers and
makes columns out of text has to be learned from the training rows alone, or the validation rows
have a say in their own prediction. In a Pipeline that happens by itself: GridSearchCV refits every
step in every fold, and steps before the model can be tuned together with it.

Here the rent of flats depends on the area (in a curve), the age and the district. The grid tries
polynomials of three degrees, each with its own best penalty: a line is too stiff whatever the
penalty, and the sixth degree needs a stronger penalty than the second, or it over-fits.

Run it with a folder as argument to save the picture there, instead of in the current folder.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from skreg import Lasso

rng = np.random.default_rng(0)
n = 150
flats = pd.DataFrame({"area": rng.uniform(20, 140, n), "age": rng.uniform(0, 100, n)})
flats["district"] = rng.choice(["Hill", "Old Town", "Port", "West"], n)
extra = flats["district"].map({"Hill": 150, "Old Town": 250, "Port": 0, "West": 50})
rent = 300 + 0.09 * flats["area"] ** 2 - 2 * flats["age"] + extra + rng.normal(0, 120, n)
flats = flats.mask(rng.random(flats.shape) < 0.05)  # one cell in twenty is empty

numbers = Pipeline(
    [
        ("fill", SimpleImputer()),
        ("scale", StandardScaler()),
        ("curve", PolynomialFeatures(include_bias=False)),
    ]
)
text = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
columns = ColumnTransformer([("numbers", numbers, ["area", "age"]), ("text", text, ["district"])])
model = Pipeline([("columns", columns), ("lasso", Lasso(standardize=True))])
alphas, degrees = np.geomspace(0.3, 200, 12), [1, 2, 6]
grid = {"columns__numbers__curve__degree": degrees, "lasso__alpha": alphas}
search = GridSearchCV(model, grid, cv=5, scoring="neg_root_mean_squared_error").fit(flats, rent)

figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
errors = -search.cv_results_["mean_test_score"].reshape(len(degrees), len(alphas))
for degree, error, style in zip(degrees, errors, ("--", "-", "-."), strict=True):
    ax.semilogx(alphas, error, style, label=f"degree {degree}")
ax.plot(search.best_params_["lasso__alpha"], -search.best_score_, "ko", label="chosen")
ax.set(xlabel=r"penalty $\alpha$ (decreasing)", ylabel="CV root mean squared error of the rent")
ax.invert_xaxis()
ax.legend(frameon=False)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
figure.savefig(folder / "pipeline_grid_search.png", dpi=100)
