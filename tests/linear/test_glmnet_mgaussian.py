"""Agreement with R's glmnet 4.1 on several targets whose coefficients enter together.

`glmnet_mgaussian.R` made the numbers of `glmnet_mgaussian.txt` from the data that this module
makes, and that ``python test_glmnet_mgaussian.py FOLDER`` writes for it.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from skreg import MultiTaskElasticNet, regularization_path

NUMBERS = Path(__file__).with_name("glmnet_mgaussian.txt")
COEFFICIENTS = 1e-6  # of the largest, by glmnet's own accuracy: skreg's gaps are below 1e-12
FACTOR = np.array([1, 0.5, 2, 1, 0, 1, 3])
# Share of the part that couples, and what else differs from standardized features.
RUNS = {
    "lasso": (1.0, {}),
    "net": (0.4, {}),
    "plain": (1.0, {"standardize": False}),
    "nointercept": (0.7, {"fit_intercept": False}),
    "weights": (1.0, {"weighted": True}),
    "factors": (1.0, {"penalty_factor": FACTOR}),
    "all": (0.6, {"weighted": True, "penalty_factor": FACTOR + 0.5}),
}


def made_data():
    rng = np.random.default_rng(21)
    X = rng.normal(size=(80, 7)) * [1, 1, 2, 0.5, 1, 3, 1] + [0, 1, 0, -2, 0, 5, 0]
    X[:, 4] += 0.8 * X[:, 0]
    W = rng.normal(size=(7, 3)) * np.array([[1, 0.5, 0.3, 0, 0, 0.1, 0]]).T
    return {
        "x": X,
        "y": X @ W + rng.normal(size=(80, 3)) + [1, 0, -3],
        "weight": rng.integers(0, 4, 80) + 0.5 * (rng.random(80) < 0.3),
        "factor": FACTOR,
    }


def numbers():
    """For each run the lambdas, and arrays with one row a target."""
    found = {}
    for line in NUMBERS.read_text(encoding="ascii").splitlines():
        run, *arrays = line.split(";")
        lambdas, intercepts, beta, shares = (np.array(a.split(","), dtype=float) for a in arrays)
        n_lambdas, n_targets = len(lambdas), len(intercepts) // len(lambdas)
        coefs = beta.reshape(n_lambdas, n_targets, -1).transpose(1, 2, 0)
        found[run] = lambdas, intercepts.reshape(n_targets, n_lambdas), coefs, shares
    return found


@pytest.mark.parametrize("solver", ["auto", "cd"])
@pytest.mark.parametrize("run", RUNS)
def test_paths_are_glmnet_s(run, solver):
    data = made_data()
    lambdas, intercepts, coefs, shares = numbers()[run]
    l1_ratio, given = RUNS[run]
    given = {"standardize": True, "solver": solver, **given}
    weight = data["weight"] if given.pop("weighted", False) else None
    if (factor := given.get("penalty_factor")) is not None:
        given["penalty_factor"] = factor * len(factor) / factor.sum()  # as glmnet does
    model = MultiTaskElasticNet(l1_ratio=l1_ratio, **given)
    path = regularization_path(model, data["x"], data["y"], alphas=lambdas, sample_weight=weight)
    assert np.abs(path.coefs - coefs).max() <= COEFFICIENTS * np.abs(coefs).max()
    np.testing.assert_allclose(path.intercepts, intercepts, atol=1e-6)
    s = np.ones(80) if weight is None else weight
    center = np.average(data["y"], axis=0, weights=s) if run != "nointercept" else 0.0
    squares = s @ (data["y"] - center) ** 2
    np.testing.assert_allclose(squares @ path.dev_ratio / squares.sum(), shares, atol=1e-7)
    assert path.dual_gaps.max() <= 1e-12


if __name__ == "__main__":
    for name, values in made_data().items():
        np.savetxt(Path(sys.argv[1]) / f"{name}.csv", values, delimiter=",", fmt="%.17g")
