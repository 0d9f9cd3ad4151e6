"""Validation data: which rows they are, what each counts, and scores that say nothing."""

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn.metrics import accuracy_score, log_loss, make_scorer, max_error, r2_score

from skreg import MLPClassifier, MLPRegressor, Moments, RowBlocks

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 300
X = RNG.standard_normal((N, 5))
y = X[:, 0] + RNG.standard_normal(N)
CLASSES = np.digitize(y, [-0.7, 0.7])
TWO = (y > 0.5).astype(int)
X_VAL = RNG.standard_normal((80, 5))
Y_VAL = X_VAL[:, 0] + RNG.standard_normal(80)
CLASSES_VAL = np.digitize(Y_VAL, [-0.7, 0.7])
TWO_VAL = (Y_VAL > 0.5).astype(int)

SHORT = {"hidden_layer_sizes": 6, "max_iter": 2, "random_state": 0}
FOUR = {**SHORT, "max_iter": 4, "dtype": "float64", "early_stopping": True}


# Validation data of another kind


@pytest.mark.parametrize(
    ("X_val", "message"),
    [
        (RowBlocks([(X_VAL, Y_VAL)]), "^X_val must be rows in memory, not RowBlocks$"),
        (Moments.of(X_VAL, Y_VAL), "^X_val must be rows in memory, not Moments$"),
    ],
)
@pytest.mark.parametrize("blocks", [False, True])
def test_validation_data_that_are_no_table_of_numbers_are_named(X_val, message, blocks):
    given = (RowBlocks([(X, y)]),) if blocks else (X, y)
    with pytest.raises(TypeError, match=message):
        MLPRegressor(**SHORT).fit(*given, X_val=X_val, y_val=Y_VAL)
    message = message.replace("X_val", "y_val")
    with pytest.raises(TypeError, match=message):
        MLPRegressor(**SHORT).fit(*given, X_val=X_VAL, y_val=X_val)


# Scores that are no numbers


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("scoring", [None, "r2"])
def test_early_stopping_refuses_a_score_that_is_no_number(solver, scoring):
    """The coefficient of determination of a single row is not defined."""
    model = MLPRegressor(**SHORT, early_stopping=True, solver=solver, scoring=scoring)
    with pytest.raises(ValueError, match=rf"score of nan.*scoring={scoring!r}.*1 rows.*X_val"):
        model.fit(X, y, X_val=X_VAL[:1], y_val=Y_VAL[:1])
    assert not hasattr(model, "coefs_")
    assert not hasattr(model, "history_")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_score_that_is_not_finite_is_compared(value):
    scores = iter([0.5, value])

    def scorer(model, X, y):
        return next(scores)

    with pytest.raises(ValueError, match=r"validation score of .*after epoch 2") as caught:
        MLPRegressor(**SHORT, early_stopping=True, scoring=scorer).fit(X, y)
    assert "validation_fraction" in str(caught.value)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_ranking_of_a_single_class_is_refused():
    model = MLPClassifier(**SHORT, early_stopping=True, scoring="roc_auc")
    with pytest.raises(ValueError, match=r"score of nan.*scoring='roc_auc'"):
        model.fit(X, TWO, X_val=X_VAL, y_val=np.zeros(80, dtype=int))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_score_that_is_only_watched_may_be_no_number():
    model = MLPRegressor(**SHORT).fit(X, y, X_val=X_VAL[:1], y_val=Y_VAL[:1])
    assert np.isnan(model.validation_scores_).all()
    assert np.isnan(model.best_validation_score_)
    assert np.isfinite(model.history_["validation_loss"]).all()


@pytest.mark.filterwarnings("ignore:X_val lies far outside X")
@pytest.mark.parametrize("options", [{"loss": "poisson"}, {"scoring": "loss"}])
def test_predictions_that_overflow_have_no_score(options):
    """exp of the raw prediction, or the square of its error, in float32."""
    far = X_VAL * (1e5 if "loss" in options else 1e30)
    model = MLPRegressor(**SHORT, **options).fit(X, np.abs(y), X_val=far, y_val=np.abs(Y_VAL))
    assert not np.isfinite(model.validation_scores_).any()
    with pytest.raises(ValueError, match=r"early stopping.*scoring=.*validation data"):
        model.set_params(early_stopping=True).fit(X, np.abs(y), X_val=far, y_val=np.abs(Y_VAL))


def test_an_error_of_a_scorer_says_whose_it_is():
    def scorer(model, X, y):
        raise RuntimeError("of its own")

    with pytest.raises(RuntimeError, match="of its own") as caught:
        MLPRegressor(**SHORT, scoring=scorer, early_stopping=True).fit(X, y)
    assert "validation data" in caught.value.__notes__[0]


# The columns of y_val


@pytest.mark.parametrize(
    ("estimator", "target", "given"),
    [
        (MLPRegressor, y, np.column_stack([Y_VAL, Y_VAL])),
        (MLPRegressor, np.column_stack([y, y, y]), np.column_stack([Y_VAL, Y_VAL])),
        (MLPClassifier, TWO, np.column_stack([TWO_VAL, 1 - TWO_VAL])),
        (MLPClassifier, np.column_stack([TWO, TWO, 1 - TWO]), np.column_stack([TWO_VAL, TWO_VAL])),
    ],
)
def test_y_val_with_other_columns_than_y_is_refused(estimator, target, given):
    columns = 1 if target.ndim == 1 else target.shape[1]
    with pytest.raises(ValueError, match=f"y_val has 2 columns where y has {columns}"):
        estimator(**SHORT).fit(X, target, X_val=X_VAL, y_val=given)


@pytest.mark.parametrize(
    ("X_val", "y_val", "message"),
    [
        (X_VAL[:, 1:], Y_VAL, "X_val and y_val: X has"),
        (X_VAL, Y_VAL[1:], "X_val and y_val: Found input variables with inconsistent numbers"),
        (X_VAL * np.nan, Y_VAL, "Input X_val contains NaN"),
    ],
)
def test_what_is_wrong_with_validation_data_is_told_as_theirs(X_val, y_val, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        MLPRegressor(**SHORT).fit(X, y, X_val=X_val, y_val=y_val)


def test_one_column_does_not_stand_for_several():
    with pytest.raises(ValueError, match="y_val has 1 column where y has 2"):
        MLPRegressor(**SHORT).fit(X, np.column_stack([y, y]), X_val=X_VAL, y_val=Y_VAL)
    with pytest.raises(ValueError, match="y_val has 1 column where y has 2"):
        MLPClassifier(**SHORT).fit(X, np.column_stack([TWO, TWO]), X_val=X_VAL, y_val=TWO_VAL)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_a_column_is_a_vector():
    one = MLPRegressor(**SHORT).fit(X, y, X_val=X_VAL, y_val=Y_VAL[:, None])
    two = MLPRegressor(**SHORT).fit(X, y[:, None], X_val=X_VAL, y_val=Y_VAL)
    assert one.validation_scores_ == two.validation_scores_


def test_labels_that_training_does_not_know_are_named():
    names = np.array(list("abcd"))
    with pytest.raises(ValueError, match=r"y_val: .*'d'.*are new"):
        MLPClassifier(**SHORT).fit(X, names[CLASSES], X_val=X_VAL, y_val=names[CLASSES_VAL + 1])


# Which rows are held out


class Seen:
    """A scorer that keeps the rows it sees."""

    def __init__(self):
        self.rows, self.weights = None, None

    def __call__(self, model, X, y, sample_weight=None):
        self.rows = X.toarray() if scipy.sparse.issparse(X) else np.asarray(X)
        self.weights = sample_weight
        return 0.0


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("kind", ["weights", "equal weights", "copies"])
def test_copies_of_a_held_out_row_are_not_trained_on(kind, sparse):
    """Features that mark the rows: those of rows that are not trained on stay as they were."""
    n, seen = 40, Seen()
    rows, counts = np.eye(n), RNG.integers(1, 4, n)
    weight = {"weights": counts, "equal weights": np.full(n, 2.0), "copies": None}[kind]
    if kind == "copies":
        rows = rows[RNG.permutation(np.repeat(np.arange(n), counts))]
    target = rows @ np.arange(1.0, n + 1)
    rows = scipy.sparse.csr_array(rows) if sparse else rows
    options = {**FOUR, "alpha": 0.0, "solver": "sgd", "momentum": 0.0, "activation": "identity"}
    options |= {"validation_fraction": 0.25, "max_iter": 1, "scoring": seen}
    still = MLPRegressor(learning_rate_init=1e-300, **options).fit(rows, target, weight)
    model = MLPRegressor(learning_rate_init=1e-3, **options).fit(rows, target, weight)
    moved = np.any(model.coefs_[0] != still.coefs_[0], axis=1)
    held = seen.rows.any(axis=0)
    assert held.sum() == n // 4
    np.testing.assert_array_equal(moved, ~held)
    if kind == "equal weights":
        assert len(seen.rows) == n // 4
    else:
        np.testing.assert_array_equal(seen.rows.sum(axis=0)[held], counts[held])
        assert seen.weights is None


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_a_weight_is_a_repetition_with_early_stopping_too(estimator):
    target, counts = (TWO if estimator is MLPClassifier else y)[:40], RNG.integers(0, 4, 40)
    order = RNG.permutation(np.repeat(np.arange(40), counts))
    one = estimator(**FOUR).fit(X[:40], target, counts)
    two = estimator(**FOUR).fit(X[order], target[order])
    assert one.validation_scores_ == two.validation_scores_
    for name in ("objective", "loss", "validation_loss"):
        np.testing.assert_array_equal(one.history_[name], two.history_[name])
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])


def test_equal_weights_are_none():
    one, two = (MLPRegressor(**FOUR, dropout=0.5).fit(X[:60], y[:60], w) for w in (None, [2] * 60))
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])
    with pytest.raises(ValueError, match="batch_size=100 is larger"):
        MLPRegressor(batch_size=100).fit(X[:60], y[:60], np.full(60, 2.0))


def test_a_few_rows_many_times_are_split_row_by_row():
    """A truth table: of its four rows none can be spared."""
    table = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    seen = Seen()
    model = MLPClassifier(**FOUR, scoring=seen)
    model.fit(np.tile(table, (15, 1)), np.tile([0, 1, 1, 0], 15))
    assert len(seen.rows) == 6


# What each row counts

WEIGHTS = RNG.uniform(0.2, 3.0, N)


def places(rows):
    """Where some rows of X are in it."""
    return np.argmin(np.abs(rows[:, :1] - X[:, 0]), axis=1)


def weighted_loss(model, held, target, weight):
    if isinstance(model, MLPClassifier):
        return log_loss(target, model.predict_proba(held), sample_weight=weight, labels=[0, 1, 2])
    return np.average((model.predict(held) - target) ** 2, weights=weight) / 2


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("scoring", [None, "scorer", "loss"])
def test_weights_of_the_held_out_rows_count_in_loss_and_score(estimator, scoring):
    target = CLASSES if estimator is MLPClassifier else y
    metric = accuracy_score if estimator is MLPClassifier else r2_score
    given, seen = (make_scorer(metric) if scoring == "scorer" else scoring), Seen()
    estimator(**FOUR, scoring=seen).fit(X, target, WEIGHTS)
    model = estimator(**FOUR, scoring=given).fit(X, target, WEIGHTS)
    held = places(seen.rows)
    np.testing.assert_array_equal(seen.weights, WEIGHTS[held])
    best = model.restored_epoch_ - 1
    loss = weighted_loss(model, X[held], target[held], WEIGHTS[held])
    score = metric(target[held], model.predict(X[held]), sample_weight=WEIGHTS[held])
    expected = -loss if scoring == "loss" else score
    assert model.history_["validation_loss"][best] == pytest.approx(loss, rel=1e-9)
    assert model.best_validation_score_ == pytest.approx(expected, rel=1e-9)
    plain = weighted_loss(model, X[held], target[held], None)
    assert abs(plain - loss) > 1e-3 * loss


@pytest.mark.parametrize("inside", [True, False], ids=["held out", "X_val"])
@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 9.0, 2: 0.5}, "balanced"])
def test_class_weights_count_in_validation(class_weight, inside):
    """Alike for rows that are held out and for the user's own."""
    seen = Seen()
    options = {**FOUR, "class_weight": class_weight}
    own = {} if inside else {"X_val": X_VAL, "y_val": CLASSES_VAL}
    by_class = np.array([1.0, 9.0, 0.5])
    if class_weight == "balanced":
        by_class = N / 3 / np.bincount(CLASSES)
    MLPClassifier(**options, scoring=seen).fit(X, CLASSES, **own)
    held, target = X_VAL, CLASSES_VAL
    if inside:
        held, target = X[places(seen.rows)], CLASSES[places(seen.rows)]
    np.testing.assert_allclose(seen.weights, by_class[target], rtol=1e-12)
    model = MLPClassifier(**options).fit(X, CLASSES, **own)
    best = model.restored_epoch_ - 1
    loss = weighted_loss(model, held, target, by_class[target])
    assert model.history_["validation_loss"][best] == pytest.approx(loss, rel=1e-9)
    score = model.score(held, target, by_class[target])
    assert model.best_validation_score_ == pytest.approx(score, rel=1e-9)


def test_class_weights_of_several_labels_count_in_validation():
    labels = np.column_stack([TWO, CLASSES == 1]).astype(int)
    labels_val = np.column_stack([TWO_VAL, CLASSES_VAL == 1]).astype(int)
    weights, seen = [{0: 1.0, 1: 5.0}, {0: 2.0, 1: 0.5}], Seen()
    model = MLPClassifier(**SHORT, class_weight=weights, scoring=seen)
    model.fit(X, labels, X_val=X_VAL, y_val=labels_val)
    first, second = ([each[k] for k in labels_val[:, i]] for i, each in enumerate(weights))
    np.testing.assert_allclose(seen.weights, np.multiply(first, second))


def test_validation_data_of_no_weight_are_refused():
    model = MLPClassifier(**SHORT, class_weight={0: 0.0, 1: 1.0})
    with pytest.raises(ValueError, match="class_weight leaves no row of y_val"):
        model.fit(X, TWO, X_val=X_VAL[TWO_VAL == 0], y_val=TWO_VAL[TWO_VAL == 0])


@pytest.mark.parametrize("smoothing", [0.0, 0.4])
@pytest.mark.parametrize("labels", ["classes", "several labels"])
def test_the_validation_loss_is_that_of_targets_that_are_not_smoothed(labels, smoothing):
    target, given = CLASSES, CLASSES_VAL
    if labels == "several labels":
        target = np.column_stack([TWO, CLASSES == 1]).astype(int)
        given = np.column_stack([TWO_VAL, CLASSES_VAL == 1]).astype(int)
    model = MLPClassifier(**SHORT, dtype="float64", label_smoothing=smoothing)
    model.fit(X, target, X_val=X_VAL, y_val=given)
    p = model.predict_proba(X_VAL)
    if labels == "classes":
        loss = -np.mean(np.log(p[np.arange(80), given]))
    else:
        loss = -np.mean(np.sum(np.where(given == 1, np.log(p), np.log(1 - p)), axis=1))
    assert model.history_["validation_loss"][-1] == pytest.approx(loss, rel=1e-9)


# Scorers that take no weights


def plain_scorer(model, X, y):
    return float(np.mean(model.predict(X) == y))


NO_WEIGHTS = {"function": plain_scorer, "metric": make_scorer(max_error, greater_is_better=False)}


@pytest.mark.parametrize("scoring", NO_WEIGHTS)
@pytest.mark.parametrize("own", [{}, {"X_val": X_VAL, "y_val": CLASSES_VAL}], ids=["held", "X_val"])
def test_class_weights_alone_break_no_scorer(scoring, own):
    options = {**SHORT, "early_stopping": True, "class_weight": "balanced"}
    model = MLPClassifier(**options, scoring=NO_WEIGHTS[scoring]).fit(X, CLASSES, **own)
    assert np.isfinite(model.validation_scores_).all()


@pytest.mark.parametrize("scoring", NO_WEIGHTS)
def test_weights_that_a_scorer_cannot_take_are_not_dropped(scoring):
    model = MLPRegressor(**SHORT, early_stopping=True, scoring=NO_WEIGHTS[scoring])
    with pytest.raises(ValueError, match=r"scoring=.* takes no sample_weight"):
        model.fit(X, y, WEIGHTS)
    model.fit(X, y, WEIGHTS, X_val=X_VAL, y_val=Y_VAL)  # they have none


@pytest.mark.parametrize("request_", [None, True, False])
def test_a_scorer_gets_the_weights_that_it_requests(request_):
    got = []

    def metric(truth, predicted, sample_weight=None):
        got.append(sample_weight)
        return 0.0

    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(metric)
        if request_ is not None:
            scorer = scorer.set_score_request(sample_weight=request_)
        MLPRegressor(**SHORT, early_stopping=True, scoring=scorer).fit(X, y, WEIGHTS)
    assert {each is None for each in got} == {request_ is False}
