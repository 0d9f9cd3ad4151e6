"""Agreement with R's glmnet 4.1-6, run at a threshold of 1e-20: paths and cross-validation.

Coefficients are compared relative to the largest of their own column (alpha).
"""

import numpy as np
import pytest
from exact import Problem

from skreg import CVResult, ElasticNet, LassoCV, regularization_path

COEFFICIENTS = 1e-6
# Squares and products that nearly depend on each other: there glmnet itself is 3e-6 off, as
# `test_the_rest_of_the_difference_is_glmnets` shows.
COLLINEAR = {"glmnetref_diabetes_x2": 5e-6}

# Settings of the reference runs: mixing, then what differs from glmnet's defaults.
RUNS = {
    "a1": (1.0, {}),
    "a05": (0.5, {}),
    "a02": (0.2, {}),
    "a0": (0.0, {}),
    "a1_nostd": (1.0, {"standardize": False}),
    "a05_nointercept": (0.5, {"fit_intercept": False}),
    "a1_weights": (1.0, {"weighted": True}),
    "a1_pf": (1.0, {"factors": True}),
    "a05_weights_pf": (0.5, {"weighted": True, "factors": True}),
    "a1_limits": (1.0, {"lower_bound": -0.5, "upper_bound": 0.3}),
    "a1_positive": (1.0, {"positive": True}),
}
DATA = {
    "glmnet_quickstart": ("glmnet_quickstart", "X"),
    "glmnetref_prostate": ("prostate", "X"),
    "glmnetref_diabetes_x2": ("diabetes_lars", "X2"),
    "glmnetref_riboflavin": ("riboflavin", "X"),
}


def translated(mixing, lambdas, y, weights=None, fit_intercept=True):
    """skreg's alphas and l1_ratio for glmnet's lambdas and alpha ("mixing").

    glmnet divides y by its standard deviation s (about zero without an intercept), solves with
    lambda / s and multiplies the coefficients by s: the L1 part then is ``lambda mixing |w|``, the
    L2 part ``lambda (1 - mixing) / (2 s) w^2``. Its weights are scaled to sum to one. X is scaled
    as by ``standardize=True``.
    """
    mean = np.average(y, weights=weights) if fit_intercept else 0.0
    scale = np.sqrt(np.average((y - mean) ** 2, weights=weights))
    strength = mixing + (1 - mixing) / scale
    return lambdas * strength, mixing / strength


def load(shared_data, reference):
    """The reference, X and y."""
    found = shared_data(reference)
    data, name = DATA[reference]
    source = found if data == reference else shared_data(data)
    return found, source[name].astype(np.float64), source["y"].astype(np.float64)


def same_coefficients(found, expected):
    size = np.maximum(np.abs(expected).max(axis=0), 1e-300)
    return np.max(np.abs(found - expected) / size)


@pytest.mark.parametrize("reference", DATA)
@pytest.mark.parametrize("run", RUNS)
def test_path(shared_data, reference, run):
    found, X, y = load(shared_data, reference)
    if f"{run}__beta" not in found:
        pytest.skip(f"{reference} has no run {run!r}")
    mixing, settings = RUNS[run]
    settings = {"standardize": True, **settings}
    weights = found["weights"] if settings.pop("weighted", False) else None
    if settings.pop("factors", False):
        factors = found["penalty_factor"].astype(np.float64)
        settings["penalty_factor"] = factors * len(factors) / factors.sum()  # as glmnet does
    fit_intercept = settings.get("fit_intercept", True)
    alphas, l1_ratio = translated(mixing, found[f"{run}__lambda"], y, weights, fit_intercept)
    path = regularization_path(
        ElasticNet(l1_ratio=l1_ratio, tol=1e-10, **settings),
        X,
        y,
        alphas=alphas,
        sample_weight=weights,
    )
    # glmnet's ridge starts at a lambda of 1e36, which it reports as another.
    part = slice(1 if mixing == 0 else 0, None)
    beta = found[f"{run}__beta"][:, part]
    # The first lambda of a lasso is its own maximum, where all coefficients are rounding or zero.
    grown = np.abs(beta).max(axis=0) > 1e-10 * np.abs(beta).max()
    assert np.abs(path.coefs[:, part][:, ~grown]).max(initial=0.0) <= 1e-10 * np.abs(beta).max()
    allowed = COLLINEAR.get(reference, COEFFICIENTS)
    assert same_coefficients(path.coefs[:, part][:, grown], beta[:, grown]) <= allowed
    spread = np.abs(y).max()
    np.testing.assert_allclose(path.intercepts[part], found[f"{run}__a0"][part], atol=1e-7 * spread)
    np.testing.assert_allclose(path.dev_ratio[part], found[f"{run}__dev_ratio"][part], atol=1e-8)
    assert path.dual_gaps.max() <= 1e-10
    if mixing > 0:
        np.testing.assert_array_equal(path.df[1:], found[f"{run}__df"][1:])


@pytest.mark.parametrize("run", ["a1", "a05", "a02", "a0"])
def test_the_rest_of_the_difference_is_glmnets(shared_data, run):
    found, X, y = load(shared_data, "glmnetref_diabetes_x2")
    alphas, l1_ratio = translated(RUNS[run][0], found[f"{run}__lambda"], y)
    estimator = ElasticNet(l1_ratio=l1_ratio, standardize=True, tol=1e-10)
    path = regularization_path(estimator, X, y, alphas=alphas)
    for i in (50, 75, 99):
        problem = Problem.of(X, y, alphas[i], l1_ratio, standardize=True)
        theirs, ours = found[f"{run}__beta"][:, i], path.coefs[:, i]
        assert problem.objective(ours) <= problem.objective(theirs) + 1e-17 * problem.unit
        assert problem.violation(ours).max() < 0.1 * problem.violation(theirs).max()


@pytest.mark.parametrize("reference", DATA)
def test_largest_lambda_is_alpha_max(shared_data, reference):
    found, X, y = load(shared_data, reference)
    path = regularization_path(ElasticNet(l1_ratio=1.0, standardize=True), X, y, alphas=2)
    np.testing.assert_allclose(path.alphas[0], found["a1__lambda"][0], rtol=1e-12)


def fold_errors(X, y, lambdas, foldid, mixing, loss):
    """Held-out errors as cv.glmnet makes them, (n_lambdas, n_folds), and the folds' sizes.

    Each fold has a path on lambdas of its own, from its own maximum down; coefficients at the
    lambdas asked for are interpolated, those off its ends taken from the end.
    """
    errors, sizes = [], []
    for k in np.unique(foldid):
        train, test = foldid != k, foldid == k
        strength, l1_ratio = translated(mixing, 1.0, y[train])
        estimator = ElasticNet(l1_ratio=l1_ratio, standardize=True, tol=1e-10)
        eps = 1e-4 if train.sum() > X.shape[1] else 1e-2
        top = regularization_path(estimator, X[train], y[train], alphas=1).alphas[0]
        path = regularization_path(
            estimator, X[train], y[train], alphas=np.geomspace(top, eps * top, 100)
        )
        own = path.alphas[::-1] / strength
        values = np.vstack([path.intercepts, path.coefs])[:, ::-1]
        at = np.array([np.interp(lambdas, own, row) for row in values])
        errors.append(loss(at[0] + X[test] @ at[1:] - y[test, None]).mean(axis=0))
        sizes.append(float(test.sum()))
    return np.array(errors).T, np.array(sizes)


@pytest.mark.parametrize(
    ("reference", "tag", "mixing", "loss"),
    [(reference, "cv_a1_mse", 1.0, np.square) for reference in DATA]
    + [("glmnet_quickstart", "cv_a05_mae", 0.5, np.abs)],
)
def test_cross_validation(shared_data, reference, tag, mixing, loss):
    found, X, y = load(shared_data, reference)
    if f"{tag}__cvm" not in found:
        pytest.skip(f"{reference} has no {tag}")
    lambdas = found[f"{tag}__lambda"]
    errors, sizes = fold_errors(X, y, lambdas, found[f"{tag}__foldid"], mixing, loss)
    result = CVResult(alphas=lambdas, errors=errors, fold_weights=sizes)
    rtol = 1e-6 if reference in COLLINEAR else 1e-8
    np.testing.assert_allclose(result.mean, found[f"{tag}__cvm"], rtol=rtol)
    np.testing.assert_allclose(result.standard_error, found[f"{tag}__cvsd"], rtol=10 * rtol)
    assert result.alpha_min == found[f"{tag}__lambda_min"][0]
    assert result.alpha_1se == found[f"{tag}__lambda_1se"][0]


@pytest.mark.parametrize("reference", DATA)
def test_lasso_cv_chooses_what_glmnet_chooses(shared_data, reference):
    """Exact fits at the same lambdas where glmnet interpolates: the errors differ a little."""
    found, X, y = load(shared_data, reference)
    if "cv_a1_mse__cvm" not in found:
        pytest.skip(f"{reference} has no cross-validation")
    foldid, lambdas = found["cv_a1_mse__foldid"], found["cv_a1_mse__lambda"]
    folds = [(np.flatnonzero(foldid != k), np.flatnonzero(foldid == k)) for k in np.unique(foldid)]
    model = LassoCV(alphas=lambdas, cv=folds, standardize=True, fold_weights="size").fit(X, y)
    np.testing.assert_allclose(model.cv_result_.mean, found["cv_a1_mse__cvm"], rtol=5e-3)
    step = lambdas[0] / lambdas[1] * (1 + 1e-9)
    for own, theirs in (
        (model.alpha_min_, found["cv_a1_mse__lambda_min"][0]),
        (model.alpha_1se_, found["cv_a1_mse__lambda_1se"][0]),
    ):
        assert theirs / step <= own <= theirs * step
    np.testing.assert_array_equal(model.path_.n_nonzero[1:], found["cv_a1_mse__nzero"][1:])
