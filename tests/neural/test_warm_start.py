"""What a warm start compares with: numbers of earlier fits that mean the same, and no others."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.metrics import make_scorer, mean_absolute_error

from skreg import MLPClassifier, MLPRegressor, WeightPenalty

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 200
X = RNG.standard_normal((N, 5))
y = np.sin(X[:, 0]) + X[:, 1] + 0.3 * RNG.standard_normal(N)
CLASSES = np.digitize(y, [-0.7, 0.7])
OPTIONS = {"hidden_layer_sizes": 16, "warm_start": True, "random_state": 0}
OPTIONS |= {"learning_rate_init": 0.01, "batch_size": 50}
STOPPED = {**OPTIONS, "early_stopping": True, "max_iter": 12, "n_iter_no_change": 1000}

HARDER = {
    "alpha": {"alpha": 0.3},
    "one alpha": {"alpha": [0.0, 0.3]},
    "penalty": {"penalty": "l1", "alpha": 0.1},
    "dropout": {"dropout": 0.5},
    "input dropout": {"input_dropout": 0.5},
    "noise": {"input_noise": 1.0},
    "adversarial": {"adversarial_eps": 0.3},
}


def of_last_fit(model, name):
    return model.history_[name][-model.n_iter_ :]


def converged(estimator, target, **more):
    """A net whose objective falls no further, and what stops it soon once that is so."""
    options = {**OPTIONS, "max_iter": 400, "n_iter_no_change": 3, "tol": 1e-4, "alpha": 0.0}
    return estimator(**{**options, **more}).fit(X, target)


def assert_begins_anew(model, best_before, *data):
    model.fit(*data)
    assert model.n_iter_ > 5  # else nothing counted as progress
    assert model.best_loss_ == min(of_last_fit(model, "objective"))
    assert model.best_loss_ > best_before


@pytest.mark.parametrize("change", HARDER)
def test_an_objective_of_another_kind_is_not_compared(change):
    model = converged(MLPRegressor, y)
    assert_begins_anew(model.set_params(**HARDER[change]), model.best_loss_, X, y)


def test_an_objective_of_mixtures_is_not_compared():
    """Mixtures vary less than the rows: it is the smaller one."""
    model = converged(MLPRegressor, y, mixup=1.0)
    best = model.best_loss_
    model.set_params(mixup=0.0, max_iter=2).fit(X, y)
    assert model.best_loss_ == min(of_last_fit(model, "objective")) > best


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"label_smoothing": 0.5}),
        ({"class_weight": {0: 20.0, 1: 0.1, 2: 20.0}}, {"class_weight": None}),
    ],
)
def test_an_objective_of_other_classes_is_not_compared(before, after):
    """The class that is often named wrongly counts little in the first fit."""
    target = np.where(RNG.random(N) < 0.6, 1, CLASSES)
    model = converged(MLPClassifier, target, hidden_layer_sizes=4, **before)
    assert_begins_anew(model.set_params(**after), model.best_loss_, X, target)


@pytest.mark.parametrize("change", [{"loss": "absolute_error"}, {"huber_delta": 3.0}])
def test_an_objective_of_another_loss_is_not_compared(change):
    first = {} if "loss" in change else {"loss": "huber", "huber_delta": 0.5}
    model = converged(MLPRegressor, y, **first)
    model.set_params(**change).fit(X, y)
    assert model.best_loss_ == min(of_last_fit(model, "objective"))


def test_an_objective_of_other_rows_is_not_compared():
    model = converged(MLPRegressor, y)
    assert_begins_anew(model, model.best_loss_, X, y + RNG.standard_normal(N))
    for other in (RNG.permutation(X), RNG.permuted(X, axis=1)):
        model = converged(MLPRegressor, y)
        assert_begins_anew(model, model.best_loss_, other, y)


def test_epochs_without_progress_are_of_one_kind():
    """Those of the score do not add to those of the objective; the first one is always one."""
    data = {"X_val": X[:50], "y_val": y[:50]}
    options = {**STOPPED, "n_iter_no_change": 7, "tol": 1e9}
    for change, expected in (({}, 2), ({"early_stopping": False}, 8)):
        model = MLPRegressor(**{**options, "max_iter": 7}).fit(X, y, **data)
        assert model.n_iter_ == 7
        model.set_params(max_iter=20, **change).fit(X, y, **data)
        assert model.n_iter_ == expected


def test_what_only_changes_the_way_leaves_the_best_as_it_was():
    model = converged(MLPRegressor, y)
    best = model.best_loss_
    model.set_params(learning_rate_init=0.3, batch_size=7, tol=1e-3, max_iter=3).fit(X, y)
    assert min(of_last_fit(model, "objective")) > best == model.best_loss_


def hard(model, X, y):
    return -np.mean(np.abs(model.predict(X) - y)) - 100.0


@pytest.mark.parametrize("scoring", ["loss", "neg_mean_absolute_error", hard])
def test_scores_of_another_kind_are_not_compared(scoring):
    """The coefficient of determination, up to 1, is larger than any negative error."""
    model = MLPRegressor(**STOPPED).fit(X, y)
    before = model.coefs_[0].copy()
    model.set_params(scoring=scoring).fit(X, y)
    assert model.best_validation_score_ == max(of_last_fit(model, "validation_score"))
    assert model.restored_epoch_ > 12
    assert np.abs(model.coefs_[0] - before).max() > 1e-3


def test_scores_of_other_validation_data_are_not_compared():
    model = MLPRegressor(**STOPPED).fit(X, y)
    noise = RNG.standard_normal((60, 5)), 5 * RNG.standard_normal(60)
    for each in (noise, (noise[0], noise[1][::-1]), (None, None)):
        epochs = model.history_.n_epochs
        model.fit(X, y, X_val=each[0], y_val=each[1])
        assert model.best_validation_score_ == max(of_last_fit(model, "validation_score"))
        assert model.restored_epoch_ > epochs


@pytest.mark.parametrize("between", ["partial_fit", "fit that goes by the objective"])
def test_a_score_is_of_the_weights_that_are_gone_on_from(between):
    """What other training has changed since does not have the score that was the best."""
    data = {"X_val": X[:50], "y_val": y[:50]}
    model = MLPRegressor(**STOPPED).fit(X, y, **data)
    if between == "partial_fit":
        model.partial_fit(X, 50 * y)
    else:
        model.set_params(early_stopping=False, max_iter=1).fit(X, 50 * y, **data)
    epochs = model.history_.n_epochs
    model.set_params(early_stopping=True, max_iter=3).fit(X, y, **data)
    assert model.best_validation_score_ == max(of_last_fit(model, "validation_score"))
    assert model.restored_epoch_ > epochs


def test_the_best_of_equal_fits_is_the_best_of_all():
    model = MLPRegressor(**STOPPED).fit(X, y)
    best, before = model.best_validation_score_, model.coefs_[0].copy()
    model.set_params(learning_rate_init=10.0, max_iter=2).fit(X, y)
    assert max(of_last_fit(model, "validation_score")) < best == model.best_validation_score_
    np.testing.assert_array_equal(model.coefs_[0], before)


class Cubes(WeightPenalty):
    def __init__(self, strength):
        self.strength = strength

    def value(self, W):
        return self.strength * float((np.abs(W) ** 3).sum())

    def gradient(self, W, out):
        out[:] = 3 * self.strength * W * np.abs(W)


@pytest.mark.parametrize(
    "scoring", [hard, make_scorer(mean_absolute_error, greater_is_better=False), "loss", None]
)
def test_a_copy_compares_with_what_the_model_compares_with(scoring):
    options = {**STOPPED, "scoring": scoring, "penalty": Cubes(0.01)}
    model = MLPRegressor(**options).fit(X, y)
    best = model.best_validation_score_
    for each in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        each.set_params(learning_rate_init=10.0, max_iter=2).fit(X, y)
        assert each.best_validation_score_ == best
        assert each.restored_epoch_ <= 12


def test_a_penalty_of_one_s_own_is_known_by_what_it_holds():
    model = converged(MLPRegressor, y, penalty=Cubes(0.01), alpha=1.0)
    best = model.best_loss_
    copied = copy.deepcopy(model).set_params(learning_rate_init=0.3, max_iter=2).fit(X, y)
    assert copied.best_loss_ == best
    assert_begins_anew(model.set_params(penalty=Cubes(0.5)), best, X, y)


def test_a_scorer_that_is_no_longer_used_is_not_pickled():
    model = MLPRegressor(**STOPPED, scoring=lambda model, X, y: 0.0).fit(X, y)
    pickle.dumps(model.set_params(scoring=None))
