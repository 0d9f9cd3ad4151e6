"""Training that goes on: partial_fit, warm starts, and after a pickle as if it had not stopped."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 90
X = RNG.standard_normal((N, 6))
y = X[:, 0] + np.abs(X[:, 1])
CLASSES = np.digitize(y, [0.0, 1.0])
MULTILABEL = np.column_stack([y > 0, X[:, 2] > 0, X[:, 3] > 1]).astype(int)
CASES = {
    "regressor": (MLPRegressor, y),
    "several targets": (MLPRegressor, np.column_stack([y, -y])),
    "classes": (MLPClassifier, CLASSES),
    "multilabel": (MLPClassifier, MULTILABEL),
}
KINDS = {
    "adam": {},
    "adamw": {"solver": "adamw", "weight_decay": 0.1},
    "sgd": {"solver": "sgd"},
    "dropout": {"dropout": 0.4, "input_dropout": 0.1},
    "batch norm": {"normalization": "batch", "solver": "sgd"},
    "layer norm": {"normalization": "layer"},
    "l1": {"penalty": "l1", "alpha": 0.01},
    "noise": {"input_noise": 0.1, "mixup": 0.2},
    "bounds": {"max_norm": 1.0, "spectral_norm": 1.0},
    "one cycle": {"learning_rate": "one_cycle"},
    "inverse scaling": {"learning_rate": "invscaling", "solver": "sgd"},
}


def state(model):
    return [*model.coefs_, *model.intercepts_]


def identical(one, two):
    for a, b in zip(state(one), state(two), strict=True):
        np.testing.assert_array_equal(a, b)


def first(model, target):
    """The first partial fit, which classifiers must be told their classes in."""
    known = {"classes": np.unique(target)} if target is CLASSES else {}
    return model.partial_fit(X, target, **known)


def options(**more):
    common = {"hidden_layer_sizes": (8, 5), "random_state": 0, "batch_size": 20, "max_iter": 4}
    return {**common, "n_iter_no_change": 1000, "tol": 0.0, **more}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_a_pickle_goes_on_as_if_it_had_not_stopped(case, kind):
    estimator, target = CASES[case]
    model = first(estimator(**options(**KINDS[kind])), target)
    for _ in range(2):
        model.partial_fit(X, target)
    back = pickle.loads(pickle.dumps(model))
    identical(model, back)
    for _ in range(3):
        model.partial_fit(X, target)
        back.partial_fit(X, target)
    identical(model, back)
    assert len(model.loss_curve_) == len(back.loss_curve_) == 6
    np.testing.assert_array_equal(model.loss_curve_, back.loss_curve_)


@pytest.mark.parametrize("kind", KINDS)
def test_a_warm_start_after_a_pickle_goes_on_as_one_without(kind):
    model = MLPRegressor(**options(warm_start=True, **KINDS[kind])).fit(X, y)
    back = pickle.loads(pickle.dumps(model))
    copied = copy.deepcopy(model)
    for each in (model, back, copied):
        each.set_params(max_iter=8).fit(X, y)
    identical(model, back)
    identical(model, copied)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"one cycle"}))
def test_a_warm_start_continues_the_optimiser(kind):
    """4 epochs and then 4 more are 8 at once: moments, learning rate and random numbers go on."""
    model = MLPRegressor(**options(warm_start=True, **KINDS[kind])).fit(X, y)
    start = model.coefs_[0].copy()
    model.fit(X, y)
    assert np.abs(start - model.coefs_[0]).max() > 1e-4
    whole = MLPRegressor(**options(**{**KINDS[kind], "max_iter": 8})).fit(X, y)
    identical(model, whole)
    np.testing.assert_array_equal(model.loss_curve_, whole.loss_curve_)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_schedule_over_all_epochs_begins_anew_in_a_warm_start(schedule):
    model = MLPRegressor(**options(warm_start=True, learning_rate=schedule)).fit(X, y)
    rates = model.fit(X, y).history_["learning_rate"]
    np.testing.assert_array_equal(rates[:4], rates[4:])
    assert len(set(rates[:4])) == 4


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_a_failure_costs_the_moments_and_no_more(call, solver):
    """What was learned stays; the next step is a first one of the optimiser."""
    model = MLPRegressor(**options(solver=solver, warm_start=True, dropout=0.2)).fit(X, y)
    fresh = copy.deepcopy(model)
    fresh._optimizer.release()
    before = model.predict(X)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="diverged"):
        getattr(model, call)(X, 1e30 * y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.n_iter_ == len(model.loss_curve_) == 4
    identical(model.fit(X, y), fresh.fit(X, y))


def test_early_stopping_goes_on_from_the_weights_it_put_back():
    """With the moments of the last epoch, though."""
    noise = RNG.standard_normal(N)
    common = {"warm_start": True, "early_stopping": True, "learning_rate_init": 0.1}
    model = MLPRegressor(**options(**common, max_iter=30)).fit(X, noise)
    assert model.restored_epoch_ < 30
    best = [np.array(each) for each in model.coefs_]
    assert model._optimizer.t == 30 * 5
    model.set_params(learning_rate_init=1e-300, max_iter=1).fit(X, noise)
    for before, after in zip(best, model.coefs_, strict=True):
        np.testing.assert_array_equal(before, after)
    assert model._optimizer.t == 31 * 5


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_the_number_of_iterations_under_warm_start(solver):
    model = MLPRegressor(
        8, solver=solver, warm_start=True, max_iter=10, n_iter_no_change=np.inf, random_state=0,
        tol=1e-12,
    )  # fmt: skip
    model.fit(X, y)
    assert model.n_iter_ == 10
    model.set_params(max_iter=15).fit(X, y)
    assert model.n_iter_ == 15
    assert len(model.loss_curve_) == 25
    assert model.history_["objective"].shape == (25,)


def test_a_warm_start_refuses_other_classes_or_shapes():
    model = MLPClassifier(**options(warm_start=True)).fit(X, CLASSES)
    with pytest.raises(ValueError, match="classes"):
        model.fit(X, CLASSES + 1)
    with pytest.raises(ValueError, match="classes"):
        model.fit(X, np.minimum(CLASSES, 1))
    with pytest.raises(ValueError, match=r"features|hidden_layer_sizes|warm_start"):
        model.fit(X[:, :3], CLASSES)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes|warm_start"):
        model.set_params(hidden_layer_sizes=(9, 9)).fit(X, CLASSES)


def test_without_warm_start_a_fit_starts_anew():
    model = MLPRegressor(**options()).fit(X, y)
    again = clone(model).fit(X, y)
    identical(model.fit(X, y), again)
    assert model.history_["objective"].shape == (4,)


@pytest.mark.parametrize("case", CASES)
def test_partial_fit_is_an_epoch(case):
    estimator, target = CASES[case]
    model = first(estimator(**options()), target)
    for _ in range(3):
        model.partial_fit(X, target)
    identical(model, estimator(**options(max_iter=4)).fit(X, target))
    assert len(model.loss_curve_) == 4
    assert model.t_ == 4 * N


@pytest.mark.parametrize("case", CASES)
def test_partial_fit_goes_on_after_a_fit_with_early_stopping(case):
    """The validation rows are spared in fit; afterwards the estimator takes what it is given."""
    estimator, target = CASES[case]
    model = estimator(**options(early_stopping=True)).fit(X, target)
    before = [np.array(each) for each in state(model)]
    model.partial_fit(X, target)
    assert np.abs(before[0] - model.coefs_[0]).max() > 1e-5
    assert np.isfinite(model.predict(X)).all()


def test_partial_fit_learns_classes_batch_by_batch():
    model = MLPClassifier(16, random_state=0, learning_rate_init=0.01)
    order = np.argsort(CLASSES, kind="stable")
    model.partial_fit(X[order[:10]], CLASSES[order[:10]], classes=[0, 1, 2])
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    for _ in range(60):
        for rows in np.array_split(RNG.permutation(N), 5):
            model.partial_fit(X[rows], CLASSES[rows])
    assert model.score(X, CLASSES) > 0.9


def test_partial_fit_refuses_an_unseen_class():
    model = first(MLPClassifier(8, random_state=0), CLASSES)
    with pytest.raises(ValueError, match=r"(?s)class|label") as caught:
        model.partial_fit(X, CLASSES + 1)
    assert "3" in str(caught.value)  # the one that is new
    with pytest.raises(ValueError, match="classes"):
        model.partial_fit(X, CLASSES, classes=[0, 1, 2, 3])
    with pytest.raises(ValueError, match=r"class|label"):
        MLPClassifier(8).partial_fit(X, CLASSES, classes=[0, 1])


def test_partial_fit_of_lbfgs_does_not_exist():
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    assert not hasattr(MLPRegressor(solver="lbfgs"), "partial_fit")


@pytest.mark.parametrize("more", [{}, {"solver": "sgd"}, {"solver": "lbfgs", "max_iter": 3}])
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_a_pickle_holds_the_model_and_no_scratch(estimator, more):
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((256, 300)).astype(np.float32)
    target = rng.integers(0, 5, 256)
    model = estimator((700, 400), max_iter=2, random_state=0).set_params(**more).fit(Z, target)
    size = sum(each.nbytes for each in state(model))
    assert model.coefs_[0].dtype == np.float32
    assert len(pickle.dumps(model)) <= 1.1 * size
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict(Z), model.predict(Z))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_small_pickle_goes_on_like_the_model_it_is_of(solver):
    model = MLPRegressor(**options(solver=solver, dropout=0.3)).fit(X, y)
    back = pickle.loads(pickle.dumps(model))
    for _ in range(3):
        model.partial_fit(X, y)
        back.partial_fit(X, y)
    identical(model, back)


def test_a_clone_is_not_fitted():
    model = MLPRegressor(**options(dropout=[0.2, 0.1])).fit(X, y)
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict(X)
