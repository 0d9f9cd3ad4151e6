"""Agreement with R's glmnet 4.1-6 on classes and counts, at a threshold of 1e-14.

`glmnet_losses.R` made the numbers of `glmnet_losses.txt` from the data that this module makes, and
that ``python test_glmnet_losses.py FOLDER`` writes for it.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

from skreg import LogisticRegression, PoissonRegressor, regularization_path

NUMBERS = Path(__file__).with_name("glmnet_losses.txt")
COEFFICIENTS = 1e-6  # of the largest, by glmnet's own accuracy: skreg's gaps are below 1e-12
FACTOR = np.array([1, 0.5, 2, 1, 0, 1, 3])
# Share of the L1 penalty, and what else differs from standardized features without anything.
RUNS = {
    "lasso": (1.0, {}),
    "net": (0.4, {}),
    "ridge": (0.0, {}),
    "plain": (1.0, {"standardize": False}),
    "nointercept": (0.7, {"fit_intercept": False}),
    "weights": (1.0, {"weighted": True}),
    "offset": (1.0, {"shifted": True}),
    "factors": (1.0, {"penalty_factor": FACTOR}),
    "limits": (1.0, {"lower_bound": -0.2, "upper_bound": 0.3}),
    "all": (
        0.6,
        {
            "weighted": True,
            "shifted": True,
            "penalty_factor": FACTOR + 0.5,
            "lower_bound": -0.6,
            "upper_bound": 0.9,
        },
    ),
}


def made_data():
    rng = np.random.default_rng(20)
    X = rng.normal(size=(80, 7)) * [1, 1, 2, 0.5, 1, 3, 1] + [0, 1, 0, -2, 0, 5, 0]
    X[:, 4] += 0.8 * X[:, 0]
    eta = X @ [0.8, -0.5, 0.3, 0.0, 0.0, 0.1, 0.0] - 0.5
    two = (rng.random(80) < 1 / (1 + np.exp(-eta))).astype(float)
    each = np.column_stack([eta, -eta, 0.4 * X[:, 2] - 0.5 * X[:, 3] - 1])
    return {
        "x": X,
        "two": two,
        "three": (each + rng.gumbel(size=(80, 3))).argmax(axis=1),
        "count": rng.poisson(np.exp(0.5 * eta)),
        "weight": rng.integers(0, 4, 80) + 0.5 * (rng.random(80) < 0.3),
        "offset": rng.normal(size=(80, 3)).round(3),
        "factor": FACTOR,
        "amount": eta + rng.normal(size=80),
    }


def numbers():
    """For each family and run the lambdas, and arrays with one row a class."""
    found = {}
    for line in NUMBERS.read_text(encoding="ascii").splitlines():
        family, run, *arrays = line.split(";")
        lambdas, intercepts, beta, shares = (np.array(a.split(","), dtype=float) for a in arrays)
        n_lambdas, n_classes = len(lambdas), len(intercepts) // len(lambdas)
        coefs = beta.reshape(n_lambdas, n_classes, -1).transpose(1, 2, 0)
        found[family, run] = lambdas, intercepts.reshape(n_classes, n_lambdas), coefs, shares
    return found


@pytest.mark.parametrize("family", ["binomial", "multinomial", "poisson"])
@pytest.mark.parametrize("run", RUNS)
def test_paths_are_glmnet_s(family, run):
    data = made_data()
    lambdas, intercepts, coefs, shares = numbers()[family, run]
    l1_ratio, given = RUNS[run]
    given = {"standardize": True, **given}
    weight = data["weight"] if given.pop("weighted", False) else None
    offset = data["offset"] if given.pop("shifted", False) else None
    if offset is not None and family != "multinomial":
        offset = offset[:, 0]
    if (factor := given.get("penalty_factor")) is not None:
        given["penalty_factor"] = factor * len(factor) / factor.sum()  # as glmnet does
    kind = PoissonRegressor if family == "poisson" else LogisticRegression
    y = data[{"binomial": "two", "multinomial": "three", "poisson": "count"}[family]]
    path = regularization_path(
        kind(l1_ratio=l1_ratio, tol=1e-12, **given),
        data["x"],
        y,
        alphas=lambdas,
        sample_weight=weight,
        offset=offset,
    )
    own, levels = path.coefs.reshape(coefs.shape), path.intercepts.reshape(intercepts.shape)
    if family == "multinomial":
        # What is not penalised may be moved by the same for all classes.
        levels, intercepts = levels - levels.mean(axis=0), intercepts - intercepts.mean(axis=0)
        if run == "factors":
            own = own - np.where(FACTOR == 0, 1, 0)[:, None] * own.mean(axis=0)
            coefs = coefs - np.where(FACTOR == 0, 1, 0)[:, None] * coefs.mean(axis=0)
    assert np.abs(own - coefs).max() <= COEFFICIENTS * np.abs(coefs).max()
    np.testing.assert_allclose(levels, intercepts, atol=1e-6)
    shares = np.broadcast_to(shares, path.dev_ratio.shape)
    np.testing.assert_allclose(path.dev_ratio, shares, atol=1e-7)
    assert path.dual_gaps.max() <= 1e-12


if __name__ == "__main__":
    for name, values in made_data().items():
        np.savetxt(Path(sys.argv[1]) / f"{name}.csv", values, delimiter=",", fmt="%.17g")
