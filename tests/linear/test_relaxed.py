"""Relaxed fits, beside R's glmnet 4.1-6, plain fits on the selected columns, and loops over folds.

`glmnet_relaxed.R` made the numbers of `glmnet_relaxed.txt` from the data of
`test_glmnet_losses.py`.
"""

import warnings
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from linear.test_glmnet import translated
from linear.test_glmnet_losses import RUNS, made_data
from reference import minimise
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, PredefinedSplit

from skreg import (
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    Lasso,
    LassoCV,
    LogisticRegression,
    LogisticRegressionCV,
    Moments,
    MultiTaskLasso,
    MultiTaskLassoCV,
    PoissonRegressor,
    PoissonRegressorCV,
    TweedieRegressor,
    regularization_path,
)
from skreg.objective.penalties import ScaledPenalty

NUMBERS = Path(__file__).with_name("glmnet_relaxed.txt")
COEFFICIENTS = 1e-6  # of the largest, by glmnet's own accuracy
FAMILIES = {
    "gaussian": (Lasso, "amount"),
    "binomial": (LogisticRegression, "two"),
    "multinomial": (LogisticRegression, "three"),
    "poisson": (PoissonRegressor, "count"),
}


def numbers():
    """For each family and run the arrays of its line, those of a cross-validation as well."""
    found = {}
    for line in NUMBERS.read_text(encoding="ascii").splitlines():
        family, run, *arrays = line.split(";")
        found[family, run] = [np.array(a.split(","), dtype=float) for a in arrays]
    return found


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("run", [run for run in RUNS if run not in ("ridge", "all")])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_paths_are_glmnet_s(family, run, share):
    data = made_data()
    lambdas, intercepts, beta = numbers()[family, run]
    mixing, given = RUNS[run]
    given = {"standardize": True, "l1_ratio": mixing, **given}
    weight = data["weight"] if given.pop("weighted", False) else None
    offset = data["offset"] if given.pop("shifted", False) else None
    if offset is not None and family != "multinomial":
        offset = offset[:, 0]
    if (factor := given.get("penalty_factor")) is not None:
        given["penalty_factor"] = factor * len(factor) / factor.sum()  # as glmnet does
    kind, name = FAMILIES[family]
    y, alphas = data[name], lambdas
    if family == "gaussian":
        kind, y = ElasticNet, y if offset is None else y - offset
        how = given.get("fit_intercept", True)
        alphas, given["l1_ratio"] = translated(mixing, lambdas, y, weight, how)
        offset = None
    estimator = kind(tol=1e-12, **given)
    settings = {"alphas": alphas, "sample_weight": weight, "offset": offset}
    plain = regularization_path(estimator, data["x"], y, **settings)
    path = regularization_path(estimator.set_params(relax=share), data["x"], y, **settings)
    n_alphas = len(lambdas)
    coefs = beta.reshape(n_alphas, -1, 7).transpose(1, 2, 0)
    levels = intercepts.reshape(-1, n_alphas)
    own, own_levels = path.coefs.reshape(coefs.shape), path.intercepts.reshape(levels.shape)
    penalised = plain.coefs.reshape(coefs.shape), plain.intercepts.reshape(levels.shape)
    own, own_levels = own - share * penalised[0], own_levels - share * penalised[1]
    coefs, levels = (1 - share) * coefs, (1 - share) * levels
    if family == "multinomial":
        # What is not penalised may be moved by the same for all classes.
        own_levels, levels = own_levels - own_levels.mean(axis=0), levels - levels.mean(axis=0)
        own, coefs = own - own.mean(axis=0), coefs - coefs.mean(axis=0)
    assert np.abs(own - coefs).max() <= COEFFICIENTS * np.abs(coefs).max()
    np.testing.assert_allclose(own_levels, levels, atol=2e-6)
    assert path.dual_gaps.max() <= 1e-12
    assert path.converged.all()


FOLDS = PredefinedSplit(np.arange(80) % 5)
SHARES = [0, 0.25, 0.5, 0.75, 1]


def cross_validated(family, alphas, **given):
    """A relaxed cross-validation of the data, of the Lasso's penalty."""
    given = {"standardize": True, "cv": FOLDS, "alphas": alphas, "tol": 1e-12, **given}
    if family == "binomial":
        return LogisticRegressionCV(l1_ratios=[1.0], relax=True, **given)
    if family == "poisson":
        return PoissonRegressorCV(l1_ratio=1.0, relax=True, **given)
    return LassoCV(relax=True, **given)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("rule", ["min", "1se"])
@pytest.mark.filterwarnings("ignore::skreg.estimators.warnings.GridEdgeWarning")
def test_the_choice_is_glmnet_s(family, rule):
    data = made_data()
    lambdas, means, errors, chosen = numbers()["cv", family]
    unit = 2.0 if family == "binomial" else 1.0  # glmnet has the deviance of classes
    model = cross_validated(family, lambdas, rule=rule).fit(data["x"], data[FAMILIES[family][1]])
    by_share = model.cv_result_.by_share
    assert sorted(by_share) == SHARES
    for share, mean, error in zip(SHARES, means.reshape(5, -1), errors.reshape(5, -1), strict=True):
        # glmnet takes 1e-5 for a share of zero
        digits = 1e-6 if share else 1e-4
        np.testing.assert_allclose(unit * by_share[share].mean, mean, rtol=digits)
        np.testing.assert_allclose(unit * by_share[share].standard_error, error, rtol=10 * digits)
    alpha_min, share_min, alpha_1se, share_1se = chosen
    np.testing.assert_allclose([model.alpha_min_, model.alpha_1se_], [alpha_min, alpha_1se])
    assert model.relax_ == (share_min if rule == "min" else share_1se)
    assert model.alpha_ == (model.alpha_min_ if rule == "min" else model.alpha_1se_)


def made_rows(seed=0, n=60, p=12, n_targets=()):
    """A regression whose first features matter, correlated a little."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 0.5 * rng.normal(size=(n, 1))
    w = np.zeros((p, *n_targets))
    w[:4] = rng.normal(size=(4, *n_targets)) * 2
    return X, X @ w + rng.normal(size=(n, *n_targets)) + 3.0, rng.uniform(0.2, 2.0, n)


def plain_refit(X, y, weight, chosen):
    """Weighted least squares on the chosen columns, by rows of root-weighted X."""
    root = np.sqrt(weight)[:, None]
    A = np.hstack([np.ones((len(X), 1)), X[:, chosen]])
    found = np.linalg.lstsq(root * A, root[:, 0] * y, rcond=None)[0]
    coef = np.zeros(X.shape[1])
    coef[chosen] = found[1:]
    return coef, found[0]


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("solver", ["auto", "cd"])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_it_is_least_squares_on_the_support(kind, standardize, solver, share):
    X, y, weight = made_rows()
    model = ElasticNet(alpha=0.3, l1_ratio=0.8, standardize=standardize, solver=solver)
    model.fit(kind(X), y, sample_weight=weight)
    relaxed = clone(model).set_params(relax=share).fit(kind(X), y, sample_weight=weight)
    coef, intercept = plain_refit(X, y, weight, model.coef_ != 0)
    assert 0 < (model.coef_ != 0).sum() < X.shape[1]
    wanted = share * model.coef_ + (1 - share) * coef
    np.testing.assert_allclose(relaxed.coef_, wanted, rtol=1e-9, atol=1e-12)
    level = share * model.intercept_ + (1 - share) * intercept
    np.testing.assert_allclose(relaxed.intercept_, level, rtol=1e-9)
    assert relaxed.converged_
    assert relaxed.dual_gap_ <= 1e-12


@pytest.mark.parametrize("n", [60, 15])
def test_every_alpha_of_a_path_is_refitted(n):
    X, y, weight = made_rows(seed=1, n=n, p=25, n_targets=(3,))
    plain = regularization_path(Lasso(), X, y, sample_weight=weight)
    path = regularization_path(Lasso(relax=0.0), X, y, sample_weight=weight)
    assert path.relax == 0.0
    np.testing.assert_array_equal(path.df, plain.df)
    for k in range(3):
        for i in range(100):
            chosen = plain.coefs[k, :, i] != 0
            if chosen.sum() > n - 3:
                continue
            coef, intercept = plain_refit(X, y[:, k], weight, chosen)
            size = np.abs(coef).max(initial=1.0)
            np.testing.assert_allclose(path.coefs[k, :, i], coef, atol=1e-8 * size)
            np.testing.assert_allclose(path.intercepts[k, i], intercept, atol=1e-8 * size)
            residual = y[:, k] - X @ coef - intercept
            null = np.average((y[:, k] - np.average(y[:, k], weights=weight)) ** 2, weights=weight)
            explained = 1 - np.average(residual**2, weights=weight) / null
            np.testing.assert_allclose(path.dev_ratio[k, i], explained, atol=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_deviance_explained_is_that_of_the_coefficients(share):
    X, y, _ = made_rows(seed=2)
    counts = np.random.default_rng(0).poisson(np.exp(0.1 * y))
    given = {"relax": share, "tol": 1e-12}
    cases = [(Lasso(**given), y), (Lasso(positive=True, **given), y)]
    cases += [(PoissonRegressor(l1_ratio=1.0, **given), counts)]
    for model, target in cases:
        path = regularization_path(model, X, target, alphas=[0.3, 0.05])
        for alpha, explained in zip(path.alphas, path.dev_ratio, strict=True):
            fit = model.set_params(alpha=alpha).fit(X, target)
            np.testing.assert_allclose(fit.score(X, target), explained, rtol=1e-9)
            np.testing.assert_allclose(path.coef_at(alpha), fit.coef_, rtol=1e-6, atol=1e-9)
        between = model.set_params(alpha=0.11).fit(X, target).coef_
        np.testing.assert_allclose(path.coef_at(0.11, "exact"), between, rtol=1e-6, atol=1e-9)


def test_a_share_of_one_is_the_plain_fit_bit_by_bit():
    X, y, _ = made_rows()
    two = (y > np.median(y)).astype(int)
    for kind, target, given in [
        (Lasso, y, {"alpha": 0.2}),
        (LogisticRegression, two, {"C": 0.3, "l1_ratio": 1}),
        (PoissonRegressor, two, {"alpha": 0.01, "l1_ratio": 0.5}),
        (LassoCV, y, {}),
        (PoissonRegressorCV, two, {"l1_ratio": 1.0}),
    ]:
        plain = kind(**given).fit(X, target)
        relaxed = kind(relax=1.0, **given).fit(X, target)
        np.testing.assert_array_equal(relaxed.coef_, plain.coef_)
        np.testing.assert_array_equal(relaxed.intercept_, plain.intercept_)
        assert relaxed.dual_gap_ == plain.dual_gap_
        if hasattr(plain, "cv_result_"):
            np.testing.assert_array_equal(relaxed.cv_result_.errors, plain.cv_result_.errors)


def test_free_features_are_in_every_refit_and_excluded_ones_in_none():
    X, y, weight = made_rows()
    factor = np.ones(12)
    factor[7], factor[0] = 0.0, np.inf
    model = Lasso(alpha=1e3, penalty_factor=factor, relax=0.5).fit(X, y, sample_weight=weight)
    coef, intercept = plain_refit(X, y, weight, [7])
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-9)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-9)
    path = regularization_path(Lasso(penalty_factor=factor, relax=0.0), X, y)
    assert not path.coefs[0].any()
    assert path.coefs[7].all()


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_refits_keep_to_the_bounds(share):
    X, y, _ = made_rows(seed=3)
    for model in (Lasso(relax=share), ElasticNet(l1_ratio=0.5, relax=share)):
        model.set_params(lower_bound=-0.1, upper_bound=0.3)
        path = regularization_path(model, X, y)
        assert path.coefs.min() >= -0.1
        assert path.coefs.max() <= 0.3
        assert (path.coefs == 0.3).any()
        assert path.converged.all()
    model = Lasso(alpha=0.05, positive=True, relax=share).fit(X, y)
    assert model.coef_.min() == 0.0


def test_a_refit_that_is_not_unique_has_minimum_norm():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(10, 30))
    y = rng.normal(size=10)
    plain = ElasticNet(alpha=0.01, l1_ratio=0.1).fit(X, y)
    chosen = plain.coef_ != 0
    assert chosen.sum() > 10
    relaxed = clone(plain).set_params(relax=0.0).fit(X, y)
    Z = X[:, chosen] - X[:, chosen].mean(axis=0)
    wanted = np.linalg.pinv(Z) @ (y - y.mean())
    np.testing.assert_allclose(relaxed.coef_[chosen], wanted, rtol=1e-8)
    np.testing.assert_allclose(relaxed.predict(X), y, rtol=1e-8)


def test_copies_of_a_feature_share_their_coefficient():
    X, y, _ = made_rows(seed=5)
    X = np.hstack([X, X[:, :1]])
    model = ElasticNet(alpha=0.1, l1_ratio=0.5, relax=0.0).fit(X, y)
    np.testing.assert_allclose(model.coef_[0], model.coef_[-1], rtol=1e-8)
    assert model.converged_


@pytest.mark.parametrize("kind", [Lasso, LassoCV])
def test_float32_and_pathological_scales(kind):
    X, y, _ = made_rows(seed=6)
    single = kind(relax=0.5).fit(X.astype(np.float32), y.astype(np.float32))
    assert single.coef_.dtype == np.float32
    double = kind(relax=0.5).fit(X, y)
    np.testing.assert_allclose(single.coef_, double.coef_, rtol=2e-3, atol=1e-4)
    unit = {"alpha": 1e100} if kind is Lasso else {}
    large = kind(relax=0.5, **unit).fit(X, 1e100 * y)
    np.testing.assert_allclose(large.coef_, 1e100 * double.coef_, rtol=1e-6)


# Cross-validation -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["lasso", "sparse", "poisson", "two", "three", "targets"])
def test_errors_are_those_of_a_loop_over_folds(case):
    X, y, weight = made_rows(seed=7, n=120)
    alphas, shares = [0.3, 0.1, 0.03], [0.0, 0.3, 1.0]
    folds = list(KFold(4, shuffle=True, random_state=0).split(X))
    given = {"cv": folds, "alphas": alphas, "relax": shares, "tol": 1e-12, "store_path": True}
    X = sparse.csr_matrix(X) if case == "sparse" else X
    if case in ("lasso", "sparse"):
        model, single = LassoCV(**given), Lasso
    elif case == "targets":
        y = np.column_stack([y, -y + X[:, 5]])
        model, single = ElasticNetCV(l1_ratio=1.0, **given), Lasso
    elif case == "poisson":
        y = np.random.default_rng(1).poisson(np.exp(0.2 * y))
        model, single = PoissonRegressorCV(l1_ratio=1.0, **given), PoissonRegressor
    else:
        cuts = [np.median(y)] if case == "two" else np.quantile(y, [0.3, 0.7])
        y = np.digitize(y + np.random.default_rng(1).normal(size=120) * 5, cuts)
        model, single = LogisticRegressionCV(l1_ratios=[1.0], **given), LogisticRegression
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the edge of the grid
        model.fit(X, y, sample_weight=weight)
    for share in shares:
        found = model.cv_result_.by_share[share]
        assert found.relax == share
        for i, alpha in enumerate(alphas):
            for j, (train, test) in enumerate(folds):
                if single is LogisticRegression:
                    C = 1 / (alpha * weight[train].sum())
                    one = single(C=C, l1_ratio=1.0, relax=share, tol=1e-12)
                else:
                    one = single(alpha=alpha, relax=share, tol=1e-12)
                    if single is PoissonRegressor:
                        one.set_params(l1_ratio=1.0)
                one.fit(X[train], y[train], sample_weight=weight[train])
                if single is LogisticRegression:
                    log = np.log(one.predict_proba(X[test])[np.arange(len(test)), y[test]])
                    error = -np.average(log, weights=weight[test])
                elif single is PoissonRegressor:
                    mean = one.predict(X[test])
                    part = np.where(y[test] > 0, y[test] * np.log(np.maximum(y[test], 1) / mean), 0)
                    each = 2 * (part - y[test] + mean)
                    error = np.average(each, weights=weight[test])
                else:
                    square = (y[test] - one.predict(X[test])) ** 2
                    error = np.average(square, weights=weight[test], axis=0).mean()
                np.testing.assert_allclose(found.errors[i, j], error, rtol=1e-6)
    least = min(result.mean.min() for result in model.cv_result_.by_share.values())
    assert model.cv_result_.mean.min() == least
    assert model.cv_result_.relax == model.relax_ == model.path_.relax


def test_features_of_noise_are_refitted_in_each_fold_alone():
    """A refit on rows that chose its features, and are then predicted, would look too good."""
    rng = np.random.default_rng(8)
    X, y = rng.normal(size=(60, 400)), rng.normal(size=60)
    model = LassoCV(cv=5, relax=True).fit(X, y)
    chance = np.mean((y - y.mean()) ** 2)
    for share, result in model.cv_result_.by_share.items():
        assert result.mean[40:].min() > chance, share
    assert model.cv_result_.by_share[0.0].mean[-1] > 1.2 * chance


def test_the_rule_of_one_standard_error_is_of_all_shares():
    X, y, _ = made_rows(seed=9, n=100)
    fits = {rule: LassoCV(cv=5, relax=True, rule=rule).fit(X, y) for rule in ("min", "1se")}
    least, se = fits["min"], fits["1se"]
    assert least.alpha_1se_ == se.alpha_1se_ == se.alpha_
    assert least.alpha_min_ == se.alpha_min_ == least.alpha_
    best = least.cv_result_
    limit = best.mean.min() + best.standard_error[best.index_min]
    within = {s: np.flatnonzero(r.mean <= limit) for s, r in best.by_share.items()}
    first = min(found[0] for found in within.values() if len(found))
    assert se.alpha_ == best.alphas[first]
    assert se.relax_ == max(s for s, found in within.items() if len(found) and found[0] == first)


def test_one_share_is_not_chosen():
    X, y, _ = made_rows(seed=10)
    model = LassoCV(cv=5, relax=0).fit(X, y)
    assert model.relax_ == 0.0
    assert list(model.cv_result_.by_share) == [0.0]
    single = Lasso(alpha=model.alpha_, relax=0.0).fit(X, y)
    np.testing.assert_allclose(model.coef_, single.coef_, rtol=1e-8)
    again = model.set_params(relax=False).fit(X, y)
    assert not hasattr(again, "relax_")
    assert again.cv_result_.by_share is None


def test_several_l1_ratios_share_a_relaxation():
    X, y, _ = made_rows(seed=11)
    model = ElasticNetCV(l1_ratio=[0.5, 1.0], cv=5, relax=True).fit(X, y)
    assert model.mse_path_.shape == (2, 100, 5)
    best = list(model.alphas_[:, 0]).index(model.cv_result_.alphas[0])
    np.testing.assert_array_equal(model.mse_path_[best], model.cv_result_.errors)


def test_fold_coefficients_are_those_of_the_share():
    X, y, _ = made_rows(seed=12)
    folds = list(KFold(3).split(X))
    model = LassoCV(cv=folds, relax=[0.0, 0.5], store_fold_coefs=True).fit(X, y)
    train, _ = folds[1]
    one = Lasso(alpha=model.cv_result_.alphas[60], relax=model.relax_).fit(X[train], y[train])
    np.testing.assert_allclose(
        model.cv_result_.fold_coefs[1, :, 60], one.coef_, rtol=1e-7, atol=1e-9
    )


# Classes and counts ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PoissonRegressor, GammaRegressor, TweedieRegressor])
def test_counts_and_amounts_are_refitted_with_offset_and_weights(kind):
    X, y, weight = made_rows(seed=13)
    target = np.exp(0.2 * y) + 0.1
    offset = 0.3 * X[:, 1]
    given = {"power": 1.5} if kind is TweedieRegressor else {}
    rows = {"sample_weight": weight, "offset": offset}
    plain = kind(alpha=0.1, l1_ratio=1.0, **given).fit(X, target, **rows)
    relaxed = clone(plain).set_params(relax=0.25).fit(X, target, **rows)
    chosen = plain.coef_ != 0
    assert 0 < chosen.sum() < 12
    refit = kind(alpha=0, **given).fit(X[:, chosen], target, **rows)
    wanted = 0.25 * plain.coef_[chosen] + 0.75 * refit.coef_
    np.testing.assert_allclose(relaxed.coef_[chosen], wanted, rtol=1e-6)
    assert not relaxed.coef_[~chosen].any()


def test_classes_that_a_plane_separates():
    rng = np.random.default_rng(14)
    X = rng.normal(size=(40, 5))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = LogisticRegression(C=10, l1_ratio=1, relax=0.0).fit(X, y)
        chosen = LogisticRegressionCV(alphas=20, l1_ratios=[1.0], relax=True, cv=4).fit(X, y)
    assert all(issubclass(one.category, ConvergenceWarning) for one in caught)
    assert len(caught) <= 2
    assert np.isfinite(model.coef_).all()
    assert model.score(X, y) == 1.0
    assert np.isfinite(chosen.coef_).all()
    assert all(np.isfinite(one.mean).all() for one in chosen.cv_result_.by_share.values())


def test_a_feature_of_one_class_is_refitted_in_all():
    data = made_data()
    plain = LogisticRegression(C=0.1, l1_ratio=1).fit(data["x"], data["three"])
    relaxed = clone(plain).set_params(relax=0.0).fit(data["x"], data["three"])
    used = (plain.coef_ != 0).any(axis=0)
    assert (plain.coef_[:, used] == 0).any()
    refit = LogisticRegression(C=np.inf).fit(data["x"][:, used], data["three"])
    np.testing.assert_allclose(relaxed.coef_[:, used], refit.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(relaxed.intercept_, refit.intercept_, rtol=1e-6, atol=1e-9)


# What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [-0.1, 1.5, np.nan, "yes", True, [0.5]])
def test_bad_shares_of_one_fit(bad):
    with pytest.raises((ValueError, TypeError), match="relax"):
        Lasso(relax=bad).fit(np.eye(3), np.ones(3))


@pytest.mark.parametrize("bad", [-0.1, 1.5, np.nan, "yes", [], [0.5, 2], [[0.5]], [True], [np.nan]])
@pytest.mark.parametrize("kind", [LassoCV, LogisticRegressionCV, PoissonRegressorCV])
def test_bad_shares_of_a_cross_validation(kind, bad):
    with pytest.raises((ValueError, TypeError), match="relax"):
        kind(relax=bad).fit(np.eye(6), [0, 1, 0, 1, 0, 1])


def test_a_relaxed_fit_needs_an_l1_part():
    X, y = np.eye(6), np.array([0, 1, 0, 1, 0, 1])
    for model in (
        ElasticNet(l1_ratio=0.0, relax=0.0),
        ElasticNetCV(l1_ratio=[0.0, 0.5], relax=True),
        LogisticRegression(relax=0.5),
        LogisticRegressionCV(relax=True),
        PoissonRegressor(relax=0.5),
        PoissonRegressorCV(relax=True),
    ):
        with pytest.raises(ValueError, match="relax fits the features anew that the L1 penalty"):
            model.fit(X, y)


def test_what_does_not_go_with_relaxed_fits():
    X, y, _ = made_rows()
    with pytest.raises(ValueError, match="relax and rule='bic' do not go together"):
        LassoCV(rule="bic", relax=True).fit(X, y)
    with pytest.raises(ValueError, match="relax and refit=False do not go together"):
        LogisticRegressionCV(l1_ratios=[1.0], refit=False, relax=True).fit(X, y > 3)


def test_moments_give_the_answers_of_the_rows():
    X, y, _ = made_rows(seed=15)
    for given in ({}, {"positive": True}, {"upper_bound": 0.3}):
        model = Lasso(alpha=0.1, relax=0.3, **given)
        by_rows = clone(model).fit(X, y)
        by_moments = model.fit_moments(Moments.of(X, y))
        np.testing.assert_allclose(by_moments.coef_, by_rows.coef_, rtol=1e-7, atol=1e-9)


def test_relaxed_adaptive_and_concave_fits():
    X, y, weight = made_rows(seed=16)
    for given in ({"adaptive": 1.0}, {"concave": "mcp"}, {"concave": "scad"}):
        plain = Lasso(alpha=0.3, **given).fit(X, y, sample_weight=weight)
        relaxed = Lasso(alpha=0.3, relax=0.25, **given).fit(X, y, sample_weight=weight)
        coef, _ = plain_refit(X, y, weight, plain.coef_ != 0)
        wanted = 0.25 * plain.coef_ + 0.75 * coef
        np.testing.assert_allclose(relaxed.coef_, wanted, rtol=1e-8, atol=1e-12)
        chosen = LassoCV(cv=4, relax=True, **given).fit(X, y, sample_weight=weight)
        assert chosen.path_.relax == chosen.relax_


@pytest.mark.parametrize("kind", ["poisson", "two", "three"])
def test_the_chosen_fit_is_that_of_a_single_alpha(kind):
    X, y, weight = made_rows(seed=17, n=150)
    noisy = y + np.random.default_rng(2).normal(size=150) * 4
    if kind == "poisson":
        y = np.random.default_rng(1).poisson(np.exp(0.2 * y))
        model = PoissonRegressorCV(l1_ratio=1.0, relax=[0, 0.5], cv=4).fit(X, y, weight)
        single = PoissonRegressor(alpha=model.alpha_, l1_ratio=1.0, relax=model.relax_)
    else:
        y = np.digitize(noisy, [3.0] if kind == "two" else [1.0, 5.0])
        model = LogisticRegressionCV(alphas=40, l1_ratios=[1.0], relax=[0, 0.5], cv=4)
        model.fit(X, y, weight)
        single = LogisticRegression(C=model.C_, l1_ratio=1.0, relax=model.relax_)
    single.fit(X, y, weight)
    np.testing.assert_allclose(model.coef_, single.coef_, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(model.intercept_, single.intercept_, rtol=1e-7, atol=1e-10)


@hypothesis.given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5]), st.booleans())
def test_any_refit_is_the_minimum_on_the_support_within_the_bounds(seed, share, standardize):
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(8, 40)), int(rng.integers(1, 8))
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    y, weight = X @ rng.normal(size=p) + rng.normal(size=n), rng.integers(0, 3, n) + 0.1
    factor = rng.choice([0.0, 0.5, 1.0, np.inf], p)
    lower, upper = rng.choice([-np.inf, -0.5, 0.0], p), rng.choice([np.inf, 0.5, 0.0], p)
    given = {"penalty_factor": factor, "lower_bound": lower, "upper_bound": upper}
    model = ElasticNet(alpha=0.2, l1_ratio=0.7, standardize=standardize, **given)
    plain = clone(model).fit(X, y, sample_weight=weight)
    relaxed = model.set_params(relax=share).fit(X, y, sample_weight=weight)
    inside = (plain.coef_ != 0) | (factor == 0)
    shares = weight / weight.sum()
    Z, v = X - shares @ X, y - shares @ y
    low, high = np.where(inside, lower, 0.0), np.where(inside, upper, 0.0)
    G, c = (Z.T * shares) @ Z, (Z.T * shares) @ v
    refit = minimise(G, c, ScaledPenalty(np.zeros(p), np.zeros(p), low, high))
    wanted = share * plain.coef_ + (1 - share) * refit
    np.testing.assert_allclose(Z @ relaxed.coef_, Z @ wanted, atol=1e-7)
    assert np.all((relaxed.coef_ >= low) & (relaxed.coef_ <= high))
    assert relaxed.dual_gap_ <= 1e-10


def test_features_of_several_tasks_are_refitted_for_all():
    X, Y, weight = made_rows(seed=18, n_targets=(3,))
    plain = MultiTaskLasso(alpha=1.0).fit(X, Y, sample_weight=weight)
    relaxed = MultiTaskLasso(alpha=1.0, relax=0.3).fit(X, Y, sample_weight=weight)
    chosen = (plain.coef_ != 0).any(axis=0)
    assert 0 < chosen.sum() < 12
    for k in range(3):
        coef, intercept = plain_refit(X, Y[:, k], weight, chosen)
        wanted = 0.3 * plain.coef_[k] + 0.7 * coef
        np.testing.assert_allclose(relaxed.coef_[k], wanted, rtol=1e-8, atol=1e-12)
        level = 0.3 * plain.intercept_[k] + 0.7 * intercept
        np.testing.assert_allclose(relaxed.intercept_[k], level, rtol=1e-8)
    model = MultiTaskLassoCV(cv=4, relax=True, store_path=True).fit(X, Y, sample_weight=weight)
    assert model.path_.relax == model.relax_


def test_refits_one_by_one_are_those_of_a_gram_matrix(monkeypatch):
    X, Y, weight = made_rows(seed=19, p=15, n_targets=(2,))
    model = Lasso(relax=0.0)
    wanted = regularization_path(model, X, Y, sample_weight=weight)
    for most in (0, 6):
        monkeypatch.setattr("skreg.paths.relaxed.LARGEST_UNION", most)
        path = regularization_path(model, X, Y, sample_weight=weight)
        np.testing.assert_allclose(path.coefs, wanted.coefs, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(path.intercepts, wanted.intercepts, rtol=1e-9)
        np.testing.assert_allclose(path.dev_ratio, wanted.dev_ratio, atol=1e-12)
        assert path.dual_gaps.max() <= 1e-12
