"""Early stopping: the split, what it is judged by, when it ends, and that the best is restored."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, make_scorer, mean_absolute_error

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 200
X = RNG.standard_normal((N, 6))
y = X[:, 0] + RNG.standard_normal(N)
CLASSES = np.digitize(y, [-0.7, 0.7])
X_VAL = RNG.standard_normal((100, 6))
Y_VAL = X_VAL[:, 0] + RNG.standard_normal(100)
CLASSES_VAL = np.digitize(Y_VAL, [-0.7, 0.7])

# A net large enough to overfit, so that the best epoch is not the last.
NET = {"hidden_layer_sizes": (64,), "learning_rate_init": 0.01, "random_state": 0, "alpha": 0.0}
NET |= {"max_iter": 60, "n_iter_no_change": 8}


@pytest.mark.parametrize("normalization", [None, "batch"])
@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd"])
def test_the_best_weights_are_restored(solver, normalization):
    options = {**NET, "solver": solver, "normalization": normalization, "early_stopping": True}
    model = MLPRegressor(**options).fit(X, y, X_val=X_VAL, y_val=Y_VAL)
    scores = np.array(model.validation_scores_)
    assert np.argmax(scores) < len(scores) - 1  # else nothing was restored
    assert model.score(X_VAL, Y_VAL) == pytest.approx(scores.max(), rel=1e-5)
    assert model.best_validation_score_ == scores.max()
    assert model.score(X_VAL, Y_VAL) > scores[-1] + 1e-4


def test_it_stops_when_the_score_no_longer_improves():
    model = MLPRegressor(early_stopping=True, tol=0.02, **NET)
    model.fit(X, y, X_val=X_VAL, y_val=Y_VAL)
    assert model.n_iter_ < 60
    assert len(model.validation_scores_) == model.n_iter_
    best, stalled = -np.inf, 0
    for epoch, score in enumerate(model.validation_scores_, start=1):
        stalled = 0 if score >= best + 0.02 else stalled + 1
        best = max(best, score)
        assert (stalled > 8) == (epoch == model.n_iter_)


def test_without_early_stopping_validation_data_are_watched_and_no_more():
    common = {**NET, "max_iter": 30, "n_iter_no_change": 100}
    watched = MLPClassifier(**common).fit(X, CLASSES, X_val=X_VAL, y_val=CLASSES_VAL)
    plain = MLPClassifier(**common).fit(X, CLASSES)
    for a, b in zip(watched.coefs_, plain.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert watched.history_["validation_loss"].shape == (30,)
    assert np.isnan(plain.history_["validation_loss"]).all()
    expected = log_loss(CLASSES_VAL, watched.predict_proba(X_VAL))
    np.testing.assert_allclose(watched.history_["validation_loss"][-1], expected, rtol=1e-4)
    score = watched.score(X_VAL, CLASSES_VAL)
    np.testing.assert_allclose(watched.history_["validation_score"][-1], score, rtol=1e-6)


def test_training_and_validation_loss_are_the_same_thing():
    """On the same rows the two curves are one, with dropout and a penalty, too."""
    options = {**NET, "dropout": 0.5, "alpha": 0.1, "max_iter": 5, "dtype": "float64"}
    model = MLPRegressor(**options).fit(X, y, X_val=X, y_val=y)
    np.testing.assert_allclose(model.history_["loss"], model.history_["validation_loss"], rtol=1e-9)
    assert np.all(model.history_["objective"] > model.history_["loss"])


@pytest.mark.parametrize(
    "scoring", ["loss", "neg_mean_absolute_error", "callable", "neg_max_error"]
)
def test_it_can_be_judged_by_the_loss_or_by_any_scorer(scoring):
    def negative_mae(model, X, y):
        return -mean_absolute_error(y, model.predict(X))

    given = negative_mae if scoring == "callable" else scoring
    model = MLPRegressor(early_stopping=True, scoring=given, **NET)
    model.fit(X, y, X_val=X_VAL, y_val=Y_VAL)
    predicted = model.predict(X_VAL)
    expected = {
        "loss": -np.mean((predicted - Y_VAL) ** 2) / 2,
        "neg_max_error": -np.max(np.abs(predicted - Y_VAL)),
    }.get(scoring, -np.mean(np.abs(predicted - Y_VAL)))
    np.testing.assert_allclose(model.best_validation_score_, expected, rtol=1e-4)
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_scorers_of_a_classifier():
    """One that needs probabilities, and one made of a function."""
    for scoring in ("neg_log_loss", "roc_auc_ovr", make_scorer(lambda t, p: np.mean(t == p))):
        model = MLPClassifier(early_stopping=True, scoring=scoring, **{**NET, "max_iter": 10})
        names = np.array(["a", "b", "c"])
        model.fit(X, names[CLASSES], X_val=X_VAL, y_val=names[CLASSES_VAL])
        assert len(model.validation_scores_) == model.n_iter_
        assert np.isfinite(model.validation_scores_).all()


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_data_frames_make_no_warning(estimator):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    target = pd.Series(CLASSES if estimator is MLPClassifier else y, name="target")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = estimator(early_stopping=True, max_iter=5, random_state=0).fit(frame, target)
        model.predict(frame)
        held = (frame.iloc[:50], target.iloc[:50])
        estimator(max_iter=3, random_state=0).fit(frame, target, X_val=held[0], y_val=held[1])
    assert list(model.feature_names_in_) == list("abcdef")


def test_the_split_is_stratified_and_of_the_size_asked_for():
    seen = []

    def spy(model, X, y):
        seen.append((len(X), np.bincount(np.asarray(y, dtype=int), minlength=3)))
        return 0.0

    labels = np.repeat([0, 1, 2], [140, 40, 20])
    MLPClassifier(
        early_stopping=True, validation_fraction=0.25, scoring=spy, max_iter=2, random_state=0
    ).fit(X, labels)
    for rows, counts in seen:
        assert rows == 50
        np.testing.assert_array_equal(counts, [35, 10, 5])


@pytest.mark.parametrize("sparse", [False, True])
def test_rows_held_out_are_not_trained_on(sparse):
    """Features that mark the held-out rows alone get a gradient of nothing but their mean."""
    import scipy.sparse

    held = []

    def spy(model, Z, y):
        Z = Z.toarray() if scipy.sparse.issparse(Z) else np.asarray(Z)
        held.append(np.flatnonzero(Z.any(axis=0)))
        return 0.0

    n = 40
    rows = scipy.sparse.csr_array(np.eye(n)) if sparse else np.eye(n)
    options = {"hidden_layer_sizes": 5, "alpha": 0.0, "solver": "sgd", "momentum": 0.0}
    options |= {"early_stopping": True, "random_state": 0, "batch_size": 36, "dtype": "float64"}
    still = MLPRegressor(max_iter=1, learning_rate_init=1e-300, **options).fit(rows, np.ones(n))
    model = MLPRegressor(max_iter=1, learning_rate_init=1.0, scoring=spy, **options)
    model.fit(rows, np.ones(n))
    unmoved = np.flatnonzero(np.all(model.coefs_[0] == still.coefs_[0], axis=1))
    assert len(held[-1]) == 4
    assert set(held[-1]) <= set(unmoved)
    assert len(unmoved) < n // 2


def test_rows_of_no_weight_are_neither_trained_on_nor_validated_on():
    """What they hold changes nothing."""
    weights = np.ones(N)
    weights[::3] = 0
    other = y.copy()
    other[::3] += 100
    options = {**NET, "early_stopping": True, "max_iter": 8, "dtype": "float64"}
    one = MLPRegressor(**options).fit(X, y, weights)
    two = MLPRegressor(**options).fit(X, other, weights)
    np.testing.assert_allclose(one.validation_scores_, two.validation_scores_, rtol=1e-9)
    np.testing.assert_allclose(one.predict(X), two.predict(X), rtol=1e-9)


def test_a_class_that_is_not_in_training_is_refused_in_validation():
    with pytest.raises(ValueError, match=r"(?i)class|label"):
        MLPClassifier(**NET).fit(X, CLASSES, X_val=X_VAL, y_val=CLASSES_VAL + 5)


def test_a_class_that_validation_lacks_is_refused_or_scored():
    few = CLASSES_VAL < 2
    model = MLPClassifier(early_stopping=True, **{**NET, "max_iter": 5})
    model.fit(X, CLASSES, X_val=X_VAL[few], y_val=CLASSES_VAL[few])
    assert np.isfinite(model.validation_scores_).all()
    expected = log_loss(CLASSES_VAL[few], model.predict_proba(X_VAL[few]), labels=[0, 1, 2])
    assert np.min(np.abs(model.history_["validation_loss"] - expected)) < 1e-4


@pytest.mark.parametrize("n_rows", [60, 400])  # fewer than in a batch, or more
def test_classes_of_one_row_are_trained_on(n_rows):
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((n_rows, 3))
    labels = np.repeat(["a", "b"], n_rows // 2)
    labels[[3, n_rows - 2]] = "x", "z"
    seen = []

    def spy(model, X, y):
        seen.append(list(y))
        return 0.0

    options = {"early_stopping": True, "max_iter": 2, "random_state": 0, "scoring": spy}
    model = MLPClassifier(5, **options).fit(Z, labels)
    assert list(model.classes_) == ["a", "b", "x", "z"]
    n_held = n_rows // 10
    assert seen
    for held in seen:  # the others keep their shares
        assert sorted(held) == ["a"] * (n_held // 2) + ["b"] * (n_held // 2)


@pytest.mark.parametrize("fraction", [0.1, 0.9])
def test_one_row_of_each_class_is_trained_on_where_there_are_too_many_classes(fraction):
    """Forty rows of a dozen classes: a tenth of them is four, and nine tenths leave four."""
    labels = np.arange(40) % 12
    held = []

    def spy(model, X, y):
        held.append(y)
        return 0.0

    options = {**NET, "max_iter": 1, "scoring": spy, "validation_fraction": fraction}
    for seed in range(5):
        options["random_state"] = seed
        MLPClassifier(early_stopping=True, **options).fit(X[:40], labels)
        assert len(held[-1]) == {0.1: 4, 0.9: 28}[fraction]
        assert np.bincount(held[-1], minlength=12).max() <= 3
        trained = np.bincount(labels) - np.bincount(held[-1], minlength=12)
        assert trained.min() >= 1


def test_classes_without_a_row_to_spare_name_early_stopping():
    with pytest.raises(ValueError, match=r"early_stopping=True has no rows.*X_val"):
        MLPClassifier(early_stopping=True).fit(X[:15], np.arange(15))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("learning_rate", ["cosine", "one_cycle"])
def test_a_rate_that_falls_as_planned_falls_to_its_end(learning_rate, early_stopping):
    """A stop before would leave a network that was trained at a high rate alone."""
    options = {**NET, "n_iter_no_change": 2, "tol": 0.1, "max_iter": 25}
    options |= {"early_stopping": early_stopping, "learning_rate": learning_rate}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing has been cut short
        model = MLPClassifier(**options).fit(X, CLASSES)
    assert model.n_iter_ == 25
    assert model.history_["learning_rate"][-1] < 1e-4
    if early_stopping:
        assert model.best_validation_score_ == max(model.validation_scores_)


def test_a_scorer_needs_no_weights_unless_some_are_given():
    """With few rows, too, where equal rows may be trained on as one."""
    calls = []

    def scorer(model, X, y, **more):
        calls.append(more)
        return 0.0

    common = {"early_stopping": True, "scoring": scorer, "max_iter": 2, "random_state": 0}
    for rows in (40, N):
        MLPRegressor(8, **common).fit(X[:rows], y[:rows])
        MLPRegressor(8, **common).fit(np.tile(X[:rows], (3, 1)), np.tile(y[:rows], 3))
    assert calls == [{}] * 8


def test_one_half_of_the_validation_data_is_refused():
    for more in ({"X_val": X_VAL}, {"y_val": Y_VAL}):
        with pytest.raises(ValueError, match="y_val"):
            MLPRegressor(**NET).fit(X, y, **more)


@pytest.mark.parametrize(
    "data", [(X_VAL[:, :3], Y_VAL), (X_VAL, Y_VAL[:-1]), (X_VAL * np.nan, Y_VAL)]
)
def test_validation_data_that_do_not_fit_are_refused(data):
    with pytest.raises(ValueError, match=r"features|samples|NaN"):
        MLPRegressor(**NET).fit(X, y, X_val=data[0], y_val=data[1])
