"""Cross-validation: errors and their means by hand, rules, folds, leave-one-out."""

import pickle
import warnings
from functools import partial

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_diabetes
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
)
from sklearn.utils import get_tags

import skreg
from skreg import CVResult, ElasticNetCV, Lasso, LassoCV, Ridge, RidgeCV
from skreg.estimators.runtime import with_one_blas_thread
from skreg.linear.cv import in_parallel

# Where the best alpha lies matters in the tests about that only.
pytestmark = pytest.mark.filterwarnings("ignore:.*the best alpha:UserWarning")

X, Y1 = load_diabetes(return_X_y=True)
X = np.ascontiguousarray(X[:90])
Y1 = Y1[:90]
Y2 = np.column_stack([Y1, -Y1 + 200 * np.sin(np.arange(90.0))])
WEIGHT = np.random.default_rng(0).uniform(0.2, 2.0, 90)


def result(errors, weights, alphas=(3.0, 2.0, 1.0)):
    return CVResult(np.array(alphas), np.array(errors), np.array(weights))


def test_mean_and_standard_error_by_hand():
    found = result([[1.0, 4.0, 2.0], [2.0, 2.0, 2.0], [0.0, 6.0, 0.0]], [1.0, 2.0, 1.0])
    np.testing.assert_allclose(found.mean, [2.75, 2.0, 3.0])
    # sqrt( sum_k w_k (e_k - mean)^2 / sum_k w_k / (K - 1) )
    spread = [(1.75**2 + 2 * 1.25**2 + 0.75**2) / 4 / 2, 0.0, (9 + 2 * 9 + 9) / 4 / 2]
    np.testing.assert_allclose(found.standard_error, np.sqrt(spread))


def test_folds_of_no_weight_do_not_count():
    found = result([[1.0, 9.0, 3.0]], [1.0, 0.0, 1.0], [1.0])
    assert found.mean[0] == 2.0
    assert found.standard_error[0] == pytest.approx(np.sqrt(1.0 / 1))


def test_rules():
    errors = np.array([9.0, 2.4, 2.1, 2.0, 2.2])[:, None] + np.array([-0.5, 0.5])
    found = result(errors, [1.0, 1.0], [5.0, 4.0, 3.0, 2.0, 1.0])
    assert (found.index_min, found.alpha_min) == (3, 2.0)
    assert (found.index_1se, found.alpha_1se) == (1, 4.0)  # 2.4 <= 2.0 + 0.5
    assert found.select("min") == 3
    assert found.select("1se") == 1
    with pytest.raises(ValueError, match="rule must be one of"):
        found.select("best")


def test_ties_go_to_the_larger_alpha():
    assert result([[1.0, 1.0]] * 3, [1.0, 1.0]).alpha_min == 3.0


@pytest.mark.parametrize("stored", [np.array, sparse.csr_array])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("y", [Y1, Y2])
def test_errors_by_hand(y, weighted, stored):
    weight = WEIGHT if weighted else None
    alphas = np.array([4.0, 1.0, 0.1])
    folds = list(KFold(4).split(X))
    options = {"alphas": alphas, "cv": folds, "tol": 1e-10}
    model = LassoCV(**options, store_fold_coefs=True, fold_weights="size")
    model.fit(stored(X), y, sample_weight=weight)
    for k, (train, test) in enumerate(folds):
        own = None if weight is None else weight[test]
        for i, alpha in enumerate(alphas):
            fold = Lasso(alpha, tol=1e-10).fit(
                X[train], y[train], sample_weight=None if weight is None else weight[train]
            )
            squared = ((y[test] - fold.predict(X[test])) ** 2).reshape(len(test), -1)
            error = np.average(squared.mean(axis=1), weights=own)
            assert model.mse_path_[i, k] == pytest.approx(error, rel=1e-9)
            kept = model.cv_result_.fold_coefs[k][..., i]
            np.testing.assert_allclose(kept, fold.coef_, rtol=0, atol=1e-7)
    counts = [len(test) if weight is None else weight[test].sum() for _, test in folds]
    np.testing.assert_allclose(model.cv_result_.fold_weights, counts)
    np.testing.assert_allclose(
        model.cv_result_.mean, np.average(model.mse_path_, axis=1, weights=counts)
    )
    equal = LassoCV(**options).fit(stored(X), y, sample_weight=weight)
    np.testing.assert_allclose(equal.cv_result_.mean, model.mse_path_.mean(axis=1))


def test_fold_coefficients_only_on_request():
    assert LassoCV(cv=3).fit(X, Y1).cv_result_.fold_coefs is None
    kept = ElasticNetCV(cv=3, alphas=7, store_fold_coefs=True).fit(X, Y1).cv_result_.fold_coefs
    assert kept.shape == (3, 10, 7)
    kept = RidgeCV(cv=3, alphas=7, store_fold_coefs=True).fit(X, Y2).cv_result_.fold_coefs
    assert kept.shape == (3, 2, 10, 7)


@pytest.mark.parametrize("estimator", [LassoCV, ElasticNetCV, RidgeCV])
def test_rule_chooses(estimator):
    settings = {"cv": 5}
    best = estimator(**settings).fit(X, Y1)
    simple = estimator(**settings, rule="1se").fit(X, Y1)
    assert best.alpha_ == best.alpha_min_ == simple.alpha_min_
    assert simple.alpha_ == simple.alpha_1se_ == best.alpha_1se_
    assert simple.alpha_ > best.alpha_
    chosen = simple.cv_result_
    within = chosen.mean <= chosen.mean.min() + chosen.standard_error[chosen.index_min]
    assert simple.alpha_ == chosen.alphas[within].max()
    np.testing.assert_array_equal(simple.coef_, simple.path_.coef_at(simple.alpha_))


@pytest.mark.parametrize(
    "estimator",
    [
        LassoCV(cv=4, selection="random", random_state=0),
        ElasticNetCV(l1_ratio=[0.2, 1.0], cv=4, alphas=20),
        RidgeCV(cv=4, store_fold_coefs=True),
    ],
)
def test_number_of_jobs_changes_nothing(estimator):
    one = estimator.set_params(n_jobs=None).fit(X, Y1).cv_result_
    two = estimator.set_params(n_jobs=2).fit(X, Y1).cv_result_
    np.testing.assert_array_equal(one.errors, two.errors)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_overflows_in_a_fold_warns_in_no_thread(n_jobs):
    task = partial(np.multiply, 1e200, 1e200)
    assert with_one_blas_thread(in_parallel, n_jobs, 0, [task] * 3) == [np.inf] * 3


def test_repeated_indices_count_as_often():
    """A bootstrap's training rows, and test rows that come twice."""
    rng = np.random.default_rng(0)
    folds = []
    for _ in range(3):
        train = rng.integers(0, 90, 90)
        out = np.setdiff1d(np.arange(90), train)
        folds.append((train, np.append(out, out[:5])))
    model = LassoCV(alphas=[2.0, 0.5], cv=folds)
    model.fit(X, Y1)
    for k, (train, test) in enumerate(folds):
        fold = Lasso(0.5).fit(X[train], Y1[train])
        error = np.mean((Y1[test] - fold.predict(X[test])) ** 2)
        assert model.mse_path_[1, k] == pytest.approx(error, rel=1e-7)


def test_splitters_that_leave_rows_out_or_overlap():
    for cv in (RepeatedKFold(n_splits=3, n_repeats=2, random_state=0), LeaveOneOut()):
        model = LassoCV(cv=cv, alphas=12, eps=1e-3).fit(X[:30], Y1[:30])
        assert model.mse_path_.shape == (12, cv.get_n_splits(X[:30]))


def test_groups_come_by_metadata_routing():
    from sklearn import config_context

    groups = np.arange(90) % 9
    folds = list(GroupKFold(3).split(X, groups=groups))
    expected = LassoCV(cv=folds).fit(X, Y1).mse_path_
    with config_context(enable_metadata_routing=True):
        found = LassoCV(cv=GroupKFold(3)).fit(X, Y1, groups=groups).mse_path_
    np.testing.assert_array_equal(found, expected)


# Ridge ------------------------------------------------------------------------------------


def loo_by_brute_force(X, y, alphas, weight=None, **settings):
    """Held-out predictions, shape of y and then (n_alphas,)."""
    rows = np.arange(len(y))
    out = np.empty((*y.shape, len(alphas)))
    for i in rows:
        kept = rows != i
        own = None if weight is None else weight[kept]
        for a, alpha in enumerate(alphas):
            model = Ridge(alpha, **settings).fit(X[kept], y[kept], sample_weight=own)
            out[i, ..., a] = model.predict(X[[i]])[0]
    return out


LOO = {
    "tall": (X[:25, :4], {}),
    "wide": (np.random.default_rng(1).standard_normal((25, 40)), {}),
    "no intercept": (X[:25, :4], {"fit_intercept": False}),
    "factors": (X[:25, :4], {"penalty_factor": [0.0, 1.0, 3.0, np.inf]}),
}


@pytest.mark.parametrize("case", LOO)
@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out(case, weighted):
    design, settings = LOO[case]
    y = Y2[:25]
    weight = WEIGHT[:25] if weighted else None
    alphas = np.array([10.0, 0.1, 1e-3])
    expected = loo_by_brute_force(design, y, alphas, weight, **settings)
    models = [
        RidgeCV(alphas, gcv_mode=gcv_mode, store_cv_results=True, **settings)
        for gcv_mode in ("auto", "svd", "eigen")
    ]
    for model in models:
        model.fit(design, y, sample_weight=weight)
    sparse_model = RidgeCV(alphas, store_cv_results=True, **settings)
    sparse_model.fit(sparse.csr_array(design), y, sample_weight=weight)
    squared = (y[..., None] - expected) ** 2
    # Kept times the weights, as scikit-learn does.
    kept = squared if weight is None else squared * weight[:, None, None]
    for found in (*models, sparse_model):
        np.testing.assert_allclose(found.cv_results_, kept, rtol=1e-6, atol=1e-9 * kept.max())
    mean = np.average(squared.mean(axis=1), axis=0, weights=weight)
    for model in models:
        np.testing.assert_allclose(model.cv_result_.mean, mean, rtol=1e-8)
        assert model.alpha_ == alphas[np.argmin(mean)]
        assert model.best_score_ == pytest.approx(-mean.min())


def test_results_are_stored_in_the_order_of_the_alphas_given():
    given = [0.1, 10.0, 1.0]
    model = RidgeCV(given, store_cv_results=True).fit(X, Y1)
    expected = loo_by_brute_force(X[:, :], Y1, given)
    np.testing.assert_allclose(model.cv_results_, (Y1[:, None] - expected) ** 2, rtol=1e-8)
    scored = RidgeCV(given, store_cv_results=True, scoring="r2").fit(X, Y1)
    np.testing.assert_allclose(scored.cv_results_, expected, rtol=1e-8)


def test_alpha_for_each_target_by_leave_one_out():
    alphas = np.geomspace(1e2, 1e-3, 12)
    both = RidgeCV(alphas, alpha_per_target=True).fit(X, Y2)
    assert both.alpha_.shape == both.best_score_.shape == (2,)
    assert both.alpha_[0] != both.alpha_[1]
    for k in range(2):
        alone = RidgeCV(alphas).fit(X, Y2[:, k])
        assert both.alpha_[k] == alone.alpha_
        np.testing.assert_allclose(both.coef_[k], alone.coef_, rtol=1e-9)
        assert both.intercept_[k] == pytest.approx(alone.intercept_)
        assert both.alpha_1se_[k] == alone.alpha_1se_ >= both.alpha_min_[k]


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
def test_alpha_for_each_target_by_folds(scoring):
    alphas = np.geomspace(1e2, 1e-3, 12)
    both = RidgeCV(alphas, alpha_per_target=True, cv=4, scoring=scoring).fit(X, Y2)
    for k in range(2):
        alone = RidgeCV(alphas, cv=4, scoring=scoring).fit(X, Y2[:, k])
        assert both.alpha_[k] == alone.alpha_
        np.testing.assert_allclose(both.coef_[k], alone.coef_, rtol=1e-9)


@pytest.mark.parametrize("scoring", ["neg_mean_squared_error", "r2", "mae"])
@pytest.mark.parametrize("cv", [None, 4])
def test_scoring(scoring, cv):
    if scoring == "mae":
        scoring = make_scorer(mean_absolute_error, greater_is_better=False)
    alphas = np.geomspace(1e2, 1e-3, 10)
    model = RidgeCV(alphas, scoring=scoring, cv=cv).fit(X, Y1)
    assert model.best_score_ == pytest.approx(-model.cv_result_.mean.min())
    if cv is None:
        held_out = loo_by_brute_force(X, Y1, alphas)
        pairs = [[(Y1, held_out[:, a])] for a in range(10)]
    else:
        folds = list(KFold(4).split(X))
        pairs = [
            [
                (Y1[test], Ridge(a).fit(X[train], Y1[train]).predict(X[test]))
                for train, test in folds
            ]
            for a in alphas
        ]
    measure = {
        "neg_mean_squared_error": lambda y, z: -np.mean((y - z) ** 2),
        "r2": lambda y, z: 1 - np.sum((y - z) ** 2) / np.sum((y - y.mean()) ** 2),
    }.get(scoring, lambda y, z: -np.mean(np.abs(y - z)))
    scores = [np.mean([measure(*pair) for pair in own]) for own in pairs]
    np.testing.assert_allclose(-model.cv_result_.mean, scores, rtol=1e-8)
    assert model.alpha_ == alphas[np.argmax(scores)]


def test_default_grid_covers_the_spectrum():
    model = RidgeCV().fit(X, Y1)
    values = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
    assert len(model.alphas_) == 100
    assert model.alphas_[0] >= 10 * values[0]
    assert model.alphas_[-1] <= 0.1 * values[-1]
    assert np.all(np.diff(model.alphas_) < 0)
    # In units of X it moves with the data.
    scaled = RidgeCV().fit(X * 1e4, Y1)
    np.testing.assert_allclose(scaled.alphas_, model.alphas_ * 1e8, rtol=1e-6)
    np.testing.assert_allclose(scaled.predict(X * 1e4), model.predict(X), rtol=1e-8)


def test_leave_one_out_is_folds_of_one():
    alphas = np.geomspace(10, 1e-2, 6)
    direct = RidgeCV(alphas).fit(X, Y1)
    folds = RidgeCV(alphas, scoring="neg_mean_squared_error", cv=LeaveOneOut()).fit(X, Y1)
    np.testing.assert_allclose(direct.cv_result_.mean, folds.cv_result_.mean, rtol=1e-9)
    np.testing.assert_allclose(
        direct.cv_result_.standard_error, folds.cv_result_.standard_error, rtol=1e-9
    )


def test_bounds_need_folds():
    with pytest.raises(ValueError, match="set cv"):
        RidgeCV(lower_bound=0.0).fit(X, Y1)
    model = RidgeCV(lower_bound=0.0, cv=3, alphas=[1.0, 0.1, 0.01]).fit(X, Y1)
    assert model.coef_.min() == 0.0


def test_folds_whose_training_rows_weigh_nothing_are_refused():
    weight = np.zeros(90)
    weight[:30] = 1.0
    with pytest.raises(ValueError, match="training rows of a fold all have sample_weight 0"):
        LassoCV(cv=KFold(3)).fit(X, Y1, sample_weight=weight)


def test_public_names():
    assert {"CVResult", "PathResult", "LassoCV", "RidgeCV", "ElasticNetCV"} <= set(skreg.__all__)


@pytest.mark.parametrize("model", [RidgeCV(), RidgeCV(alpha_per_target=True), LassoCV(cv=3)])
def test_the_path_of_several_targets_is_kept_on_request(model):
    plain = clone(model).fit(X, Y2)
    full = clone(model).set_params(store_path=True).fit(X, Y2)
    assert not hasattr(plain, "path_")
    assert full.path_.coefs.shape == (2, 10, 100)
    np.testing.assert_allclose(plain.coef_, full.coef_, rtol=1e-7)
    np.testing.assert_array_equal(plain.alpha_, full.alpha_)
    assert hasattr(clone(model).fit(X, Y1), "path_")


@pytest.mark.parametrize("by_target", [False, True])
def test_leave_one_out_keeps_means_and_standard_errors_alone(by_target):
    model = RidgeCV([10.0, 0.1], alpha_per_target=by_target, store_cv_results=True)
    result = model.fit(X, Y2, WEIGHT).cv_result_
    assert result.errors.shape == (2, 1)
    rows = model.cv_results_ / WEIGHT[:, None, None]
    parts = [(result, rows.mean(axis=1).T)]
    if by_target:
        parts += [(result.for_target(k), rows[:, k].T) for k in range(2)]
    for found, errors in parts:
        expected = CVResult(model.alphas_, errors, WEIGHT)
        np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-10)
        np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=1e-10)
        scaled = found.in_unit(4.0)
        np.testing.assert_allclose(scaled.standard_error, 4 * expected.standard_error, rtol=1e-10)


def fitted_size(model, n):
    A = np.random.default_rng(0).normal(size=(n, 3))
    b = A @ [1.0, 2.0, 3.0] + A[:, 0] ** 2
    if get_tags(model).target_tags.positive_only:
        b = np.exp(b)
    if not get_tags(model).target_tags.single_output:
        b = np.column_stack([b, -b])
    return len(pickle.dumps(model.fit(A, b > 0 if is_classifier(model) else b)))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in skreg.__all__
        if hasattr(getattr(skreg, name), "fit") and "Huber" not in name  # which has outliers_
    ],
)
def test_no_fitted_estimator_grows_with_the_rows(name):
    model = getattr(skreg, name)()
    if "max_iter" in model.get_params() and name.startswith("MLP"):
        model.set_params(max_iter=3, random_state=0, batch_size=50)
    assert fitted_size(model, 2000) < fitted_size(clone(model), 200) + 500


def test_one_alpha_as_an_integer_warns():
    X, y = np.random.default_rng(0).normal(size=(30, 3)), np.arange(30.0)
    with pytest.warns(UserWarning, match=r"alphas=1 is a count.*write alphas=\[1.0\]"):
        assert RidgeCV(1).fit(X, y).alphas_.shape == (1,)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for alphas in ([1.0], 1.0, [1]):
            assert RidgeCV(alphas).fit(X, y).alpha_ == 1.0


# One fold ---------------------------------------------------------------------------------


ONE_FOLD = {
    "shuffle": ShuffleSplit(1, test_size=0.3, random_state=0),
    "predefined": PredefinedSplit(np.where(np.arange(90) < 60, -1, 0)),
    "pair": [(np.arange(60), np.arange(60, 90))],
}


@pytest.mark.parametrize("cv", ONE_FOLD)
def test_one_fold_is_taken_as_scikit_learn_takes_it(cv):
    cv = ONE_FOLD[cv]
    own, theirs = LassoCV(cv=cv).fit(X, Y1), linear_model.LassoCV(cv=cv, tol=1e-8).fit(X, Y1)
    np.testing.assert_allclose(own.mse_path_, theirs.mse_path_, rtol=1e-4)
    assert own.alpha_ == pytest.approx(theirs.alpha_)
    alphas = np.geomspace(10, 1e-3, 9)
    own, theirs = RidgeCV(alphas, cv=cv).fit(X, Y1), linear_model.RidgeCV(alphas, cv=cv).fit(X, Y1)
    assert own.alpha_ == pytest.approx(theirs.alpha_)
    assert own.best_score_ == pytest.approx(theirs.best_score_)
    assert np.isnan(own.alpha_1se_)
    assert np.isnan(own.cv_result_.standard_error).all()
    with pytest.raises(ValueError, match="rule='1se' needs at least 2 folds"):
        RidgeCV(cv=cv, rule="1se").fit(X, Y1)


def test_a_single_fold_that_counts_has_no_standard_error():
    weight = np.r_[np.ones(60), np.zeros(30)]
    folds = [(np.arange(30), np.arange(30, 60)), (np.arange(30), np.arange(60, 90))]
    assert np.isnan(LassoCV(cv=folds).fit(X, Y1, weight).alpha_1se_)
    with pytest.raises(ValueError, match="at least 2 folds that count"):
        LassoCV(cv=folds, rule="1se").fit(X, Y1, weight)


def test_pictures_and_page_of_one_fold(gather):
    cv = ONE_FOLD["shuffle"]
    for model in (LassoCV(cv=cv), RidgeCV(cv=cv), linear_model.LassoCV(cv=cv)):
        shown = gather([model], X, Y1, cv=3).models[0]
        assert shown.alpha_1se is None
        assert shown.cv.errors.shape[1] == 1
        drawn = skreg.CVCurveDisplay.from_cv_result(shown.cv, alpha=shown.alpha)
        assert len(drawn.alpha_lines_) == 1
    model = RidgeCV(cv=cv).fit(X, Y1)
    skreg.RegularizationPathDisplay.from_estimator(model)
    skreg.CoefficientDisplay.from_estimator(model)
    skreg.ShrinkageDisplay.from_estimator(model, X)


@pytest.mark.parametrize(
    "model",
    [
        RidgeCV(alphas=[3.0]),
        RidgeCV(alphas=[3.0], cv=3, standardize=True),
        RidgeCV(alphas=[3.0, 0.0], cv=3),
        ElasticNetCV(l1_ratio=0.0, alphas=[3.0 / 90, 0.0]),
        LassoCV(alphas=[0.0]),
        RidgeCV(alphas=[3.0, 0.0], cv=3, penalty_factor=[0.0] * 3 + [1.0] * 7),
    ],
)
@pytest.mark.parametrize("y", [Y1, Y2])
def test_degrees_of_freedom_are_known_without_an_l1_part(model, y):
    path = model.set_params(store_path=True).fit(X, y).path_
    Z = X - X.mean(axis=0)
    Z = Z / Z.std(axis=0) if model.standardize else Z
    factor = np.ones(10) if model.penalty_factor is None else np.array(model.penalty_factor)
    for alpha, found in zip(path.alphas, path.df.reshape(-1, len(path.alphas)).T, strict=True):
        strength = alpha * (90 if isinstance(model, ElasticNetCV) else 1)
        hat = Z @ np.linalg.solve(Z.T @ Z + strength * np.diag(factor), Z.T)
        np.testing.assert_allclose(found, np.trace(hat), rtol=1e-9)
