"""Details of training that only show from inside: what is kept, what goes on, what is refused."""

import pickle

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPClassifier, MLPRegressor
from skreg.neural.checks import check_plan
from skreg.neural.engine.training import Progress, Trainer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((90, 4))
Y = X[:, 0] - X[:, 1] ** 2


def plan():
    return check_plan(MLPRegressor(tol=0.1), incremental=False)


def test_progress_counts_epochs_without_an_improvement_by_the_tolerance():
    progress = Progress()
    best = [progress.update(plan(), objective, np.nan) for objective in (5.0, 4.95, 4.96, 4.8)]
    assert best == [True, True, False, True]
    assert (progress.stalled, progress.best_loss) == (0, 4.8)
    progress.update(plan(), 4.75, np.nan)
    assert progress.stalled == 1


def epochs_until_the_mean_stays(objectives, patience, tol):
    """How long a training lasts whose progress is that of the mean of `patience` objectives."""
    means = [np.mean(objectives[t - patience : t]) for t in range(patience, len(objectives) + 1)]
    stalled = 0
    for k in range(1, len(means)):
        stalled = 0 if min(means[:k]) - means[k] >= tol else stalled + 1
        if stalled > patience:
            return patience + k
    return len(objectives)


@pytest.mark.parametrize(
    "noise", [{"dropout": 0.5}, {"input_dropout": 0.3}, {"input_noise": 0.5}, {"mixup": 0.5}]
)
@pytest.mark.parametrize("patience", [1, 7])
def test_where_noise_scatters_the_objective_its_mean_is_judged(patience, noise):
    options = {"max_iter": 400, "random_state": 0, "tol": 1e-3, "learning_rate_init": 0.01}
    endless = MLPRegressor(20, n_iter_no_change=np.inf, **noise, **options).fit(X, Y)
    model = MLPRegressor(20, n_iter_no_change=patience, **noise, **options).fit(X, Y)
    assert endless.n_iter_ == 400
    assert model.n_iter_ == epochs_until_the_mean_stays(endless.loss_curve_, patience, 1e-3) < 400
    assert model.best_loss_ == min(model.loss_curve_)


def test_a_stroke_of_luck_does_not_end_a_training_with_dropout():
    """One that falls slowly below noise that is ten times what an epoch gains."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(300)
    objectives = 5.0 - 0.01 * np.arange(300) + noise
    stops = []
    for dropout in (0.0, 0.5):
        progress = Progress()
        noisy = check_plan(MLPRegressor(tol=1e-4, dropout=dropout), incremental=False)
        stalled = []
        for objective in objectives:
            progress.update(noisy, objective, np.nan)
            stalled.append(progress.stalled)
        stops.append(max(stalled) > 10)
    assert stops == [True, False]


def test_means_of_another_objective_are_forgotten():
    progress = Progress()
    noisy = check_plan(MLPRegressor(dropout=0.5, n_iter_no_change=2), incremental=False)
    progress.go_on(False, "one", None)
    for objective in (1.0, 1.0, 1.0):
        progress.update(noisy, objective, np.nan)
    assert (progress.stalled, progress.best_mean) == (1, 1.0)
    progress.go_on(False, "another", None)
    for objective in (7.0, 5.0, 3.0):
        progress.update(noisy, objective, np.nan)
    assert (progress.stalled, progress.best_mean) == (0, 4.0)


@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_a_pickle_has_the_parameters_and_little_else(penalty):
    options = {"max_iter": 1, "random_state": 0, "dropout": 0.3, "penalty": penalty}
    rows = RNG.standard_normal((60, 300)).astype(np.float32)
    model = MLPRegressor((300, 200), **options).fit(rows, rows[:, 0])
    size = sum(array.nbytes for array in model.coefs_ + model.intercepts_)
    assert len(pickle.dumps(model)) < 1.1 * size
    warm = MLPRegressor((300, 200), warm_start=True, **options).fit(rows, rows[:, 0])
    assert 2.9 * size < len(pickle.dumps(warm)) < 3.1 * size  # and the two moments


def test_a_step_that_fails_leaves_no_moments_that_were_written_to(monkeypatch):
    model = MLPRegressor(5, random_state=0).partial_fit(X, Y)
    before, epochs = model.predict(X), model.history_.n_epochs
    inner = Trainer._step

    def failing(self, *args):
        inner(self, *args)
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", failing)
        with pytest.raises(RuntimeError, match="in the middle"):
            model.partial_fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.history_.n_epochs == epochs
    assert model._optimizer.t == 0
    assert model.partial_fit(X, Y).history_.n_epochs == epochs + 1


def test_ctrl_c_passes_through_partial_fit(monkeypatch):
    model = MLPRegressor(5, random_state=0).partial_fit(X, Y)
    before = model.predict(X)

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_going_on_with_another_normalisation_is_refused():
    model = MLPRegressor(5, max_iter=1, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match=r"normalization=None.*'batch'"):
        model.set_params(normalization="batch").fit(X, Y)
    with pytest.raises(ValueError, match="normalization='layer'"):
        MLPRegressor(5, normalization="layer").partial_fit(X, Y).set_params(
            normalization=None
        ).partial_fit(X, Y)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_a_net_without_hidden_layers_has_nothing_to_normalise(normalization):
    model = MLPRegressor((), normalization=normalization, max_iter=3).fit(X, Y)
    assert model.partial_fit(X, Y).predict(X).shape == (90,)


def test_batch_normalisation_of_single_rows_is_refused():
    with pytest.raises(ValueError, match="batch_size=1"):
        MLPRegressor(5, normalization="batch", batch_size=1).fit(X, Y)


def test_a_warm_start_goes_on_where_training_had_converged():
    options = {"tol": 1e-3, "n_iter_no_change": 3, "learning_rate_init": 0.01}
    model = MLPRegressor(5, random_state=0, max_iter=2000, warm_start=True, **options).fit(X, Y)
    assert model._no_improvement_count == 4
    assert model.fit(X, Y).n_iter_ >= 4


def test_a_warm_start_may_change_the_dtype_and_the_solver():
    model = MLPRegressor(5, max_iter=2, warm_start=True, random_state=0).fit(X, Y)
    for options in (
        {"dtype": np.float64},
        {"solver": "sgd"},
        {"penalty": "l1"},
        {"solver": "adam"},
    ):
        model.set_params(**options).fit(X, Y)
        assert model.coefs_[0].dtype == np.float64
    assert model.history_.n_epochs == 10


def test_lbfgs_that_has_nothing_to_do_has_a_loss():
    model = MLPRegressor(3, solver="lbfgs", tol=1e6, random_state=0).fit(X, Y)
    assert model.n_iter_ == 0
    assert np.isfinite(model.loss_)
    assert model.loss_curve_ == []


def test_rows_without_weight_are_no_rows():
    weight = (np.arange(90) % 3 > 0).astype(float)
    options = {"max_iter": 3, "random_state": 0, "batch_size": 20}
    kept = MLPRegressor(5, **options).fit(X[weight > 0], Y[weight > 0])
    weighted = MLPRegressor(5, **options).fit(X, Y, sample_weight=weight)
    np.testing.assert_array_equal(kept.predict(X), weighted.predict(X))


@pytest.mark.parametrize(
    "options",
    [
        {"dropout": 0.5, "normalization": "batch"},
        {"input_noise": 0.1, "mixup": 0.3},
        {"early_stopping": True, "batch_size": "auto"},
        {"solver": "lbfgs"},
    ],
    ids=str,
)
def test_a_whole_weight_is_so_many_rows(options):
    """To the last bit, whatever the order of the rows, where a step takes all of them."""
    times = RNG.integers(0, 4, 90)
    order = RNG.permutation(90)
    many = np.repeat(np.arange(90), times)
    common = {"max_iter": 10, "random_state": 0, "batch_size": len(many), **options}
    weighted = MLPRegressor(5, **common).fit(X[order], Y[order], times[order])
    repeated = MLPRegressor(5, **common).fit(X[many], Y[many])
    np.testing.assert_array_equal(weighted.predict(X), repeated.predict(X))
    assert weighted.t_ == repeated.t_


def test_early_stopping_with_few_different_rows():
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 30, dtype=float)
    labels = (corners[:, 0] != corners[:, 1]).astype(int)
    model = MLPClassifier(16, early_stopping=True, learning_rate_init=0.05, random_state=0)
    assert model.fit(corners, labels).score(corners, labels) == 1.0


def test_the_clean_loss_is_of_some_rows_of_a_large_table():
    rows = RNG.standard_normal((1500, 3)).astype(np.float32)
    model = MLPRegressor(4, max_iter=2, dropout=0.5, random_state=0, alpha=0.0)
    model.fit(rows, rows[:, 0])
    whole = 0.5 * np.mean((model.predict(rows) - rows[:, 0]) ** 2)
    assert model.history_.last("loss") == pytest.approx(whole, rel=0.2)
    assert model.history_.last("loss") != pytest.approx(whole, rel=1e-6)


def test_the_limit_that_was_reached_is_named():
    with pytest.warns(ConvergenceWarning, match=r"^Stochastic Optimizer: .* \(2\) reached"):
        MLPClassifier(3, max_iter=2).fit(X, Y > 0)
    with pytest.warns(ConvergenceWarning, match=r"^lbfgs failed to converge.*\(5\) .*max_fun"):
        MLPClassifier(3, solver="lbfgs", max_fun=5).fit(X, Y > 0)
