"""Fitted attributes have the type, dtype and shape of scikit-learn's."""

from typing import Any

import numpy as np
import pytest
import sklearn
import sklearn.linear_model
import sklearn.neural_network
from scipy import sparse
from sklearn.utils.fixes import parse_version

import skreg

needs_scikit_learn_1_9 = pytest.mark.skipif(
    parse_version(sklearn.__version__).release < (1, 9),
    reason="the interface that is promised is that of scikit-learn 1.9",
)
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*the best alpha.*:UserWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning"),
]

GRID = [1.0, 0.1]
CASES = [
    ("Lasso", {}),
    ("Lasso", {"fit_intercept": False}),
    ("ElasticNet", {"alpha": 0.1}),
    ("Ridge", {}),
    ("Ridge", {"fit_intercept": False}),
    ("Ridge", {"solver": "sag"}),
    ("LassoCV", {"cv": 3}),
    ("LassoCV", {"cv": 3, "alphas": GRID, "fit_intercept": False}),
    ("ElasticNetCV", {"cv": 3, "l1_ratio": [0.5, 1.0]}),
    ("ElasticNetCV", {"cv": 3, "l1_ratio": [0.5]}),
    ("RidgeCV", {"alphas": np.array(GRID)}),
    ("RidgeCV", {"alphas": GRID, "cv": 3}),
    ("RidgeCV", {"alphas": GRID, "scoring": "r2"}),
    ("RidgeCV", {"alphas": GRID, "store_cv_results": True}),
    ("RidgeCV", {"alphas": np.array(GRID), "alpha_per_target": True}),
    ("RidgeCV", {"alphas": 1.0, "fit_intercept": False}),
    ("MLPClassifier", {"max_iter": 3}),
    ("MLPClassifier", {"max_iter": 3, "solver": "lbfgs"}),
    ("MLPClassifier", {"max_iter": 3, "early_stopping": True, "hidden_layer_sizes": (4, 3)}),
    ("MLPRegressor", {"max_iter": 3}),
    ("MLPRegressor", {"max_iter": 3, "solver": "lbfgs"}),
    ("MLPRegressor", {"max_iter": 3, "solver": "sgd", "early_stopping": True}),
]
# Measures of an error, which are float64 whatever X is: float32 would round them.
MEASURES = {
    "dual_gap_",
    "mse_path_",
    "cv_results_",
    "loss_",
    "best_loss_",
    "loss_curve_",
}
# scikit-learn's way with these is another: Ridge counts iterations for some solvers, and calls the
# solvers by other names.
RIDGE_S_OWN = {"n_iter_", "solver_"}


def table(kind: str, classes: bool) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 4))
    y = X @ [3.0, 0.0, -2.0, 1.0] + rng.standard_normal(40)
    if kind in ("column", "three targets"):
        y = y[:, None] + rng.standard_normal((40, 1 if kind == "column" else 3))
    if classes:
        y = np.digitize(y, [-1.0, 1.0] if kind == "float64" else [0.0])
    if kind == "float32":
        return X.astype(np.float32), y if classes else y.astype(np.float32)
    if kind == "integers":
        return (9 * X).astype(int), y if classes else (9 * y).astype(int)
    return (sparse.csr_array(X) if kind == "sparse" else X), y


def description(value: Any, measure: bool) -> Any:
    """Type, dtype and shape; of a list how long it is and what its entries are."""
    if isinstance(value, (list, tuple)):
        return type(value), len(value), {description(one, measure) for one in value}
    if isinstance(value, np.generic):
        value = np.asarray(value)
        return "NumPy scalar", np.float64 if measure else value.dtype
    if isinstance(value, np.ndarray) or sparse.issparse(value):
        return type(value), np.float64 if measure else value.dtype, value.shape
    return type(value)


@needs_scikit_learn_1_9
@pytest.mark.parametrize(
    "kind", ["float64", "float32", "integers", "sparse", "column", "three targets"]
)
@pytest.mark.parametrize(("name", "parameters"), CASES, ids=str)
def test_fitted_attributes_are_what_scikit_learn_s_are(name, parameters, kind):
    network, cv = name.startswith("MLP"), name in ("LassoCV", "ElasticNetCV")
    if kind == "three targets" and cv:
        pytest.skip("scikit-learn refuses several targets here")
    module = sklearn.neural_network if network else sklearn.linear_model
    X, y = table(kind, classes=name == "MLPClassifier")
    if network:
        parameters = {"random_state": 0, **parameters}
    ours = getattr(skreg, name)(**parameters).fit(X, y)
    theirs = getattr(module, name)(**parameters).fit(X, y)
    names = {n for n in (*vars(theirs), "sparse_coef_") if n.endswith("_") and hasattr(theirs, n)}
    names -= RIDGE_S_OWN if name == "Ridge" else set()
    assert len(names) >= 3
    for attribute in names:
        own, other = getattr(ours, attribute), getattr(theirs, attribute)
        if network and attribute in ("coefs_", "intercepts_"):
            # Their dtype is a parameter, and not that of X.
            own, other = ([w.astype(np.float32) for w in each] for each in (own, other))
        if type(other) is float and isinstance(own, float):
            continue  # NumPy's float64 is one as well
        if (attribute, kind) == ("best_score_", "column") and "alpha_per_target" in parameters:
            continue  # scikit-learn's has a dimension here that its alpha_ lacks
        measure = attribute in MEASURES
        assert description(own, measure) == description(other, measure), attribute


@pytest.mark.parametrize("name", ["LassoCV", "ElasticNetCV", "RidgeCV"])
def test_what_cross_validation_chose_can_be_rounded(name):
    X, y = table("float64", classes=False)
    model = getattr(skreg, name)(alphas=GRID, cv=3).fit(X, y)
    for attribute in ("alpha_", "alpha_min_", "alpha_1se_"):
        assert getattr(model, attribute).round(3) in GRID


@needs_scikit_learn_1_9
@pytest.mark.parametrize("interface", ["spmatrix", "sparray"])
@pytest.mark.parametrize("name", ["Lasso", "ElasticNet"])
def test_sparse_coefficients_are_of_the_kind_that_is_set(name, interface):
    X, y = table("float64", classes=False)
    with sklearn.config_context(sparse_interface=interface):
        found = getattr(skreg, name)(0.1).fit(X, y).sparse_coef_
        theirs = getattr(sklearn.linear_model, name)(0.1).fit(X, y).sparse_coef_
    assert type(found) is type(theirs)
    np.testing.assert_allclose(found.toarray(), theirs.toarray(), rtol=1e-3)
