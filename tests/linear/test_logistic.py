"""Logistic regression of two classes and more, alone and with the penalty chosen."""

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context, linear_model
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.metrics import f1_score, get_scorer, log_loss, make_scorer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils.fixes import parse_version

import skreg
from skreg import LogisticRegression, LogisticRegressionCV
from skreg.linear.class_data import sorted_classes
from skreg.objective.losses import Logistic

pytestmark = pytest.mark.filterwarnings("ignore::skreg.GridEdgeWarning")  # grids are short

of_several_classes = pytest.mark.skipif(
    parse_version(sklearn.__version__).release < (1, 7), reason="scikit-learn has no such scorer"
)
CANCER = load_breast_cancer()
TWO = (CANCER.data - CANCER.data.mean(0)) / CANCER.data.std(0), CANCER.target_names[CANCER.target]
IRIS = load_iris()
THREE = IRIS.data, IRIS.target_names[IRIS.target]
EXACT = {"tol": 1e-12}  # coefficients to ten digits, not to five
WEIGHT = np.random.default_rng(0).integers(0, 4, 569).astype(float)
SOLVERS = ["lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"]


def theirs(**given):
    return linear_model.LogisticRegression(solver="newton-cholesky", tol=1e-10, **given)


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize(
    "given",
    [
        {"C": 0.3},
        {"C": 1.0, "fit_intercept": False},
        {"C": 1.0, "class_weight": "balanced"},
    ],
    ids=str,
)
def test_the_squared_penalty_is_scikit_learn_s(data, given):
    X, y = data
    # Before 1.7 scikit-learn does not count the weights in what is balanced.
    weight = None if "class_weight" in given else WEIGHT[: len(y)]
    own, other = LogisticRegression(**given, **EXACT), theirs(**given)
    own.fit(X, y, weight)
    other.fit(X, y, weight)
    assert_allclose(own.coef_, other.coef_, atol=2e-5)
    assert_allclose(own.intercept_, other.intercept_, atol=2e-5)
    assert own.dual_gap_ < 1e-9
    assert own.converged_ is True
    assert_array_equal(own.classes_, other.classes_)
    assert_array_equal(own.predict(X), other.predict(X))
    assert_allclose(own.predict_proba(X), other.predict_proba(X), atol=1e-5)
    assert_allclose(own.predict_log_proba(X), np.log(own.predict_proba(X)))
    assert_allclose(own.decision_function(X), other.decision_function(X), atol=1e-3)
    assert own.score(X, y) == other.score(X, y)


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_no_other_point_has_a_smaller_objective(l1_ratio):
    X, y = TWO
    own = LogisticRegression(C=0.2, l1_ratio=l1_ratio).fit(X, y)
    codes = (y == own.classes_[1]).astype(float)

    def objective(w, b):
        penalty = l1_ratio * np.abs(w).sum() + 0.5 * (1 - l1_ratio) * w @ w
        return Logistic().value(X @ w + b, codes) + penalty / 0.2

    w, b = own.coef_[0], own.intercept_[0]
    least, rng = objective(w, b), np.random.default_rng(0)
    for size in (1e-1, 1e-3, 1e-5):
        for _ in range(50):
            step = rng.normal(size=31) * size
            assert objective(w + step[:30] * (rng.random(30) < 0.3), b + step[30]) >= least - 1e-8
    assert 0 < np.count_nonzero(w) < 30


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_of_scikit_learn_gives_the_same(solver):
    X, y = TWO
    expected = LogisticRegression(C=0.1).fit(X, y).coef_
    own = LogisticRegression(C=0.1, solver=solver, dual=True, intercept_scaling=3.0).fit(X, y)
    assert_array_equal(own.coef_, expected)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"penalty": "l1", "C": 0.1}, {"l1_ratio": 1.0, "C": 0.1}),
        ({"penalty": "l2", "C": 0.1}, {"l1_ratio": 0.0, "C": 0.1}),
        ({"penalty": "elasticnet", "l1_ratio": 0.3, "C": 0.1}, {"l1_ratio": 0.3, "C": 0.1}),
    ],
    ids=str,
)
def test_a_deprecated_penalty_is_translated_with_one_warning(given, meant):
    X, y = TWO
    with pytest.warns(FutureWarning, match="'penalty' was deprecated") as told:
        own = LogisticRegression(**given).fit(X, y)
    assert len(told) == 1
    assert_array_equal(own.coef_, LogisticRegression(**meant).fit(X, y).coef_)


def test_without_a_penalty_it_is_the_maximum_of_the_likelihood():
    X, y = make_classification(200, 5, n_informative=3, flip_y=0.3, random_state=0)
    own = LogisticRegression(C=np.inf, **EXACT).fit(X, y)
    score = X.T @ (own.predict_proba(X)[:, 1] - y)
    assert np.abs(score).max() < 1e-5
    with pytest.warns(FutureWarning):
        other = LogisticRegression(penalty=None, **EXACT).fit(X, y)
    assert_array_equal(own.coef_, other.coef_)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_penalty_that_contradicts_other_parameters_is_told():
    with pytest.warns(UserWarning, match="Setting penalty=None will ignore the C"):
        LogisticRegression(penalty=None, C=3.0).fit(*TWO)
    with pytest.warns(UserWarning, match="penalty=l2 with l1_ratio=0.5: the penalty decides"):
        LogisticRegression(penalty="l2", l1_ratio=0.5).fit(*TWO)
    with pytest.warns(UserWarning, match="penalty=l2 with l1_ratios="):
        LogisticRegressionCV(penalty="l2", l1_ratios=[0.0, 1.0], Cs=2, cv=2).fit(*TWO)
    for model, name in (
        (LogisticRegression(penalty="elasticnet", l1_ratio=None), "l1_ratio must"),
        (LogisticRegressionCV(penalty="elasticnet", l1_ratios=None), "l1_ratios must"),
        (LogisticRegressionCV(penalty=None), "leaves nothing to choose"),
    ):
        with pytest.raises(ValueError, match=name):
            model.fit(*TWO)


def test_a_missing_l1_share_is_none_with_a_warning():
    with pytest.warns(FutureWarning, match="l1_ratio=None"):
        own = LogisticRegression(l1_ratio=None).fit(*TWO)
    assert_array_equal(own.coef_, LogisticRegression().fit(*TWO).coef_)


def test_coefficients_may_be_stored_sparse():
    X, y = TWO
    own = LogisticRegression(C=0.1, l1_ratio=1.0).fit(X, y)
    expected = own.decision_function(X)
    own.sparsify()
    assert sparse.issparse(own.coef_)
    for table in (X, sparse.csr_array(X), sparse.csc_matrix(X)):
        assert_allclose(own.decision_function(table), expected)
    own.set_params(warm_start=True).fit(X, y)
    assert own.densify() is own


def test_separable_classes_have_finite_coefficients_without_a_penalty():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    own = LogisticRegression(C=np.inf).fit(X, [0, 0, 1, 1])
    assert np.isfinite(own.coef_).all()
    assert own.score(X, [0, 0, 1, 1]) == 1.0


@pytest.mark.parametrize(("data", "shape"), [(TWO, (569,)), (THREE, (150, 3))])
def test_an_offset_moves_the_linear_predictor(data, shape):
    X, y = data
    offset = np.random.default_rng(1).normal(size=shape)
    own = LogisticRegression(l1_ratio=0.5).fit(X, y, offset=offset)
    eta = own.decision_function(X, offset)
    plain = X @ own.coef_.T + own.intercept_
    assert_allclose(eta, (plain[:, 0] if eta.ndim == 1 else plain) + offset)
    assert own.score(X, y, offset=offset) > 0.9
    for call in (own.predict, own.predict_proba, own.decision_function):
        with pytest.raises(ValueError, match="pass that of these rows"):
            call(X)
    with pytest.raises(ValueError, match="offset must have shape"):
        LogisticRegression().fit(X, y, offset=offset[1:])


def test_classes_of_any_kind_keep_their_names():
    X, y = THREE
    codes = np.unique(y, return_inverse=True)[1]
    expected = LogisticRegression().fit(X, codes)
    for names in (np.array(["a", "b", "c"], dtype=object), np.array([-1.5, 0.0, 7.0]).astype(int)):
        own = LogisticRegression().fit(X, names[codes])
        assert_array_equal(own.classes_, np.sort(names))
        assert_array_equal(own.predict(X), np.sort(names)[expected.predict(X)])


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.zeros(569), "at least 2 classes"),
        (np.linspace(0, 1, 569), "Unknown label type"),
        (np.eye(569)[:, :2], "y should be a 1d array|bad input shape"),
        (np.where(np.arange(569) == 3, None, TWO[1]), "row 3"),
    ],
)
def test_bad_targets_are_refused(y, said):
    for model in (LogisticRegression(), LogisticRegressionCV(cv=2)):
        with pytest.raises(ValueError, match=said):
            model.fit(TWO[0], y)
        assert not hasattr(model, "classes_")


def test_class_weights_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match="leave no row"):
        LogisticRegression(class_weight=dict.fromkeys(np.unique(TWO[1]), 0.0)).fit(*TWO)
    with pytest.raises(ValueError, match="class_weight of 'benign'"):
        LogisticRegression(class_weight={"benign": -1}).fit(*TWO)


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
def test_sparse_x_and_float32_give_the_same(data):
    X, y = data
    expected = LogisticRegression(C=0.1, l1_ratio=0.5).fit(X, y)
    for given in (sparse.csr_array(X), sparse.csc_matrix(X), X.astype(np.float32)):
        own = LogisticRegression(C=0.1, l1_ratio=0.5).fit(given, y)
        assert_allclose(own.coef_, expected.coef_, atol=1e-4)
        assert own.coef_.dtype == given.dtype


def test_a_warm_start_ends_where_a_cold_one_does():
    for X, y in (TWO, THREE):
        warm = LogisticRegression(C=0.5, l1_ratio=1.0, warm_start=True, **EXACT).fit(X, y)
        warm.set_params(C=0.2).fit(X, y)
        cold = LogisticRegression(C=0.2, l1_ratio=1.0, **EXACT).fit(X, y)
        assert_allclose(warm.coef_, cold.coef_, atol=1e-5)


def test_a_warm_start_of_other_classes_is_refused():
    model = LogisticRegression(warm_start=True).fit(*THREE)
    with pytest.raises(ValueError, match=r"shape \(3, 4\) where \(1, 4\) is needed"):
        model.fit(THREE[0][:100], THREE[1][:100])


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
def test_one_step_from_the_solution_stays_there(data):
    X, y = data
    model = LogisticRegression(warm_start=True, **EXACT).fit(X, y)
    before = model.coef_
    model.set_params(max_iter=1).fit(X, y)
    assert model.converged_
    assert_allclose(model.coef_, before, atol=1e-5)


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
def test_a_path_is_of_the_mean_loss(data):
    X, y = data
    path = skreg.regularization_path(LogisticRegression(l1_ratio=1.0, **EXACT), X, y, alphas=20)
    assert path.dual_gaps.max() < 1e-9
    assert not path.coefs[..., 0].any()
    one = LogisticRegression(C=1 / (path.alphas[10] * len(y)), l1_ratio=1.0, **EXACT).fit(X, y)
    assert_allclose(np.atleast_2d(path.coefs[..., 10]), one.coef_, atol=1e-5)


# Cross-validation ---------------------------------------------------------------------------


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_scores_are_those_of_fits_without_the_fold(data, class_weight):
    X, y = data
    Cs, cv = [0.05, 0.5], StratifiedKFold(3)
    given = {"class_weight": class_weight, **EXACT}
    own = LogisticRegressionCV(Cs=Cs, cv=cv, l1_ratios=[0.0, 0.5], **given)
    own.fit(X, y)
    for r, l1_ratio in enumerate([0.0, 0.5]):
        for c, C in enumerate(Cs):
            one = LogisticRegression(C=C, l1_ratio=l1_ratio, **given)
            expected = cross_val_score(one, X, y, cv=cv, scoring="neg_log_loss")
            assert_allclose(own.scores_[:, r, c], expected, rtol=1e-5)
    assert own.scores_.mean(axis=0).max() == pytest.approx(-own.cv_result_.mean.min())
    one = LogisticRegression(C=own.C_, l1_ratio=own.l1_ratio_, **given)
    assert_allclose(own.coef_, one.fit(X, y).coef_, atol=1e-6)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("given", [{"scoring": "accuracy"}, {"refit": False}], ids=str)
def test_the_choice_is_scikit_learn_s(data, given):
    X, y = data
    given = {"scoring": "neg_log_loss", **given, "Cs": [0.01, 0.1, 1.0], "cv": 3}
    own = LogisticRegressionCV(**given, **EXACT).fit(X, y)
    other = linear_model.LogisticRegressionCV(**given, solver="newton-cg", tol=1e-10, max_iter=1000)
    other.fit(X, y)
    assert pytest.approx(np.ravel(other.C_)[0]) == own.C_
    assert_allclose(own.coef_, other.coef_, atol=1e-4)
    assert_allclose(own.scores_[:, 0], next(iter(other.scores_.values())), atol=1e-6)
    paths = np.stack(list(other.coefs_paths_.values()), axis=2)
    assert_allclose(own.coefs_paths_[:, 0], paths, atol=1e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "scoring", [pytest.param("neg_brier_score", marks=of_several_classes), "neg_log_loss"]
)
def test_a_scorer_is_told_of_classes_that_rows_held_out_lack(n_classes, scoring):
    y = np.repeat(["a", "b", "c"], 10)[: 10 * n_classes]
    X = np.random.default_rng(0).normal(size=(len(y), 3))
    held_out = np.flatnonzero(y == "a")[:3]
    folds = [(np.setdiff1d(np.arange(len(y)), held_out), held_out)]
    own = LogisticRegressionCV(Cs=[0.1, 1.0], cv=folds, scoring=scoring).fit(X, y)
    assert (own.scores_ < 0).all()
    assert own.score(X[held_out], y[held_out]) < 0


def test_the_second_class_is_the_positive_one():
    X, y = TWO
    own = LogisticRegressionCV(Cs=[0.1, 1.0], cv=3, scoring="f1").fit(X, y)
    other = LogisticRegressionCV(Cs=[0.1, 1.0], cv=3, scoring="f1").fit(X, y == "malignant")
    first = make_scorer(f1_score, pos_label="benign")
    given = LogisticRegressionCV(Cs=[0.1, 1.0], cv=3, scoring=first).fit(X, y)
    assert_allclose(own.scores_, other.scores_)
    assert (given.scores_ != own.scores_).all()


def test_metadata_of_a_score_go_to_the_scorer():
    X, y = TWO
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        LogisticRegressionCV(Cs=2, scoring="accuracy").fit(X, y).score(X, y, extra=1)
    weight = 1.0 + WEIGHT
    with config_context(enable_metadata_routing=True):
        scorer = get_scorer("accuracy").set_score_request(sample_weight=False)
        own = LogisticRegressionCV(Cs=2, cv=3, scoring=scorer).fit(X, y, sample_weight=weight)
        with pytest.raises(TypeError, match="'sample_weight'}, which are not routed"):
            own.score(X, y, sample_weight=weight)
        scorer.set_score_request(sample_weight=True)
        other = LogisticRegressionCV(Cs=2, cv=3, scoring=scorer).fit(X, y, sample_weight=weight)
        assert other.score(X, y, sample_weight=weight) != other.score(X, y)
        assert not np.allclose(own.scores_, other.scores_)
        LogisticRegressionCV(Cs=2, cv=3).fit(X, y, sample_weight=weight).score(X, y, weight)


@pytest.mark.parametrize("data", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("l1_ratios", [[0.0], [0.0, 1.0]], ids=str)
def test_legacy_attributes_have_their_old_shapes(data, l1_ratios):
    X, y = data
    given = {"Cs": 2, "cv": 2, "l1_ratios": l1_ratios, "store_fold_coefs": True}
    own = LogisticRegressionCV(**given, use_legacy_attributes=True).fit(X, y)
    new = LogisticRegressionCV(**given).fit(X, y)
    classes = own.classes_[1:] if len(own.classes_) == 2 else own.classes_
    assert list(own.scores_) == list(own.coefs_paths_) == list(classes)
    assert_array_equal(own.C_, np.full(len(classes), new.C_))
    several = len(l1_ratios) > 1
    for k, each in enumerate(classes):
        scores = new.scores_.transpose(0, 2, 1)
        assert_array_equal(own.scores_[each], scores if several else scores[..., 0])
        paths = new.coefs_paths_[..., k, :].transpose(0, 2, 1, 3)
        assert_array_equal(own.coefs_paths_[each], paths if several else paths[:, :, 0])


def test_alphas_in_place_of_c():
    X, y = TWO
    own = LogisticRegressionCV(alphas=30, l1_ratios=[1.0], rule="1se").fit(X, y)
    assert_allclose(own.alpha_, 1 / (own.C_ * len(y)))
    assert own.alpha_ == own.alpha_1se_
    assert own.path_.alphas.shape == (30,)
    assert not own.path_.coefs[:, 0].any()
    assert own.path_.l1_ratio == own.cv_result_.l1_ratio == 1.0
    assert own.cv_result_.metric == "log-loss"
    expected = log_loss(y, own.predict_proba(X))
    assert own.cv_result_.mean[own.cv_result_.index_1se] == pytest.approx(expected, rel=0.5)


def test_the_edge_of_a_grid_is_told_in_terms_of_c():
    X, y = TWO
    with pytest.warns(
        skreg.GridEdgeWarning, match="best C, 0.01, is the largest .* reach further up"
    ):
        LogisticRegressionCV(Cs=[0.001, 0.01]).fit(X, y)
    LogisticRegressionCV(Cs=2).fit(X, y)


@pytest.mark.parametrize("bound", [0.1, [0.1, 0.3, np.inf, np.inf]], ids=["all", "some"])
def test_alpha_max_minds_the_bounds_of_unpenalised_features(bound):
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(80, 4)), rng.integers(0, 3, 80)
    X[:, 0] += 0.8 * (y == 1)
    X[:, 2] += 0.5 * X[:, 0]
    model = LogisticRegression(
        l1_ratio=1.0,
        penalty_factor=[0.0, 0.0, 1.0, 1.0],
        lower_bound=np.negative(bound),
        upper_bound=bound,
        **EXACT,
    )
    alpha_max = skreg.regularization_path(model, X, y, alphas=2).alphas[0]
    alphas = alpha_max * np.array([1.0 + 1e-6, 1.0 - 1e-4])
    coefs = skreg.regularization_path(model, X, y, alphas=alphas).coefs
    assert np.abs(coefs[:, 0]).max() == pytest.approx(0.1)
    assert not coefs[:, 2:, 0].any()
    assert coefs[:, 2:, 1].any()


def test_bad_strengths_are_refused():
    for Cs in ([0.0, 1.0], [-1.0], [[1.0]], []):
        with pytest.raises(ValueError, match="Cs must be"):
            LogisticRegressionCV(Cs=Cs).fit(*TWO)
    with pytest.raises(ValueError, match="l1_ratios must be in"):
        LogisticRegressionCV(l1_ratios=[2.0]).fit(*TWO)


def test_noise_selected_within_the_folds_predicts_at_chance():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 500)), np.arange(100) % 2
    own = LogisticRegressionCV(alphas=30, l1_ratios=[1.0], rule="1se").fit(X, y)
    assert own.cv_result_.mean.min() > 0.9 * np.log(2)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.uint64, float, "f4", "f2"])
@pytest.mark.parametrize(
    "values",
    [[0, 1], [1, 1], [-128, 0, 127], [5, 9, 7, 5], [1.5, 2.5], [2**40, 2**40 + 3], [0, 9**5]],
)
def test_classes_are_those_of_numpy(values, dtype):
    with np.errstate(over="ignore", invalid="ignore"):
        labels = np.array(values * 3).astype(dtype)
    classes, codes = sorted_classes(labels)
    expected = np.unique(labels, return_inverse=True)
    assert classes.dtype == labels.dtype
    np.testing.assert_array_equal(classes, expected[0])
    np.testing.assert_array_equal(codes, expected[1])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.5])
def test_labels_in_floats_are_whole_numbers(wrong):
    X, y = np.arange(8.0)[:, None], np.array([0.0, 1, 0, 1, 1, 0, 0, 1])
    model = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(model.classes_, [0.0, 1.0])
    assert model.classes_.dtype == np.float64
    y[3] = wrong
    with pytest.raises(ValueError, match=r"NaN|infinity|Unknown label type"):
        LogisticRegression().fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("data", [TWO, THREE], ids=["two classes", "three"])
def test_there_are_no_more_steps_than_max_iter(data, l1_ratio):
    for most in (1, 2, 3):
        model = LogisticRegression(max_iter=most, l1_ratio=l1_ratio, **EXACT).fit(*data)
        assert model.n_iter_.max() <= most


@pytest.mark.parametrize("C", [300.0, 1e3, 1e4])
def test_a_loss_near_zero_is_minimised_to_its_rounding(C):
    """Its value has the rounding of what it is the difference of; steps were taken for idle."""
    X = [[-3, -48], [-3, 48], [-3, -32], [-3, 16], [-3, 0], [-2, 32.0]]
    model = LogisticRegression(C=C, fit_intercept=False).fit(X, [0, 1, 0, 1, 0, 1])
    assert model.dual_gap_ < 1e-10


def test_steps_go_on_while_the_objective_falls():
    """The gap need not fall with it."""
    model = LogisticRegression(C=1e8, l1_ratio=0.5, fit_intercept=False)
    assert model.fit(CANCER.data, CANCER.target).dual_gap_ < 1e-9
    for seed in range(20):
        draw = np.random.default_rng(seed)
        X = draw.standard_normal((40, 20)) * 2.0 ** draw.integers(-6, 7, 20)
        y = X @ draw.standard_normal(20) + 5 * draw.standard_normal(40) > 0
        model = LogisticRegression(C=300, fit_intercept=False).fit(X, y)
        assert model.dual_gap_ < 1e-6


def test_paths_of_classes_have_the_digits_of_single_fits():
    X, y = load_iris(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    alphas = np.geomspace(0.1, 1e-3, 40)
    path = skreg.regularization_path(LogisticRegression(l1_ratio=0.0), X, y, alphas=alphas)
    for i in (5, 20, 35):
        single = LogisticRegression(C=1.0 / (alphas[i] * len(X)), tol=1e-13).fit(X, y)
        found = path.coefs[..., i].reshape(single.coef_.shape)
        np.testing.assert_allclose(found, single.coef_, atol=1e-7 * np.abs(found).max())
