"""What is told of a training while it runs and afterwards, and how it may be stopped."""

import re
import signal
import time
import warnings
from itertools import pairwise

import numpy as np
import pytest
import threadpoolctl
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N, BATCH = 90, 20
STEPS = 5  # of an epoch, the last of 10 rows
X = RNG.standard_normal((N, 5))
y = X[:, 0] + np.abs(X[:, 1])


def net(**options):
    common = {"hidden_layer_sizes": 8, "max_iter": 12, "random_state": 0, "batch_size": BATCH}
    return MLPRegressor(**{**common, "n_iter_no_change": 1000, "tol": 0.0, **options})


def rates(**options):
    return net(learning_rate_init=0.01, **options).fit(X, y).history_["learning_rate"]


def test_a_constant_rate():
    np.testing.assert_allclose(rates(), 0.01)


def test_inverse_scaling_goes_by_the_rows_seen():
    seen = N * np.arange(12)
    found = rates(solver="sgd", learning_rate="invscaling", power_t=0.3)
    np.testing.assert_allclose(found, 0.01 / (seen + 1) ** 0.3)


def test_an_adaptive_rate_is_a_fifth_when_progress_ends():
    model = net(
        solver="sgd", learning_rate="adaptive", learning_rate_init=0.1, tol=10.0, max_iter=500,
        n_iter_no_change=3,
    ).fit(X, y)  # fmt: skip
    found = model.history_["learning_rate"]
    distinct = found[np.sort(np.unique(found, return_index=True)[1])]
    np.testing.assert_allclose(distinct, 0.1 / 5.0 ** np.arange(len(distinct)))
    assert model.n_iter_ < 500
    assert found[-1] <= 1e-6 < 5 * found[-1]


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd"])
def test_a_cosine_goes_from_the_rate_to_zero(solver):
    last = STEPS * np.arange(1, 13) - 1  # steps before the last one of each epoch
    expected = 0.005 * (1 + np.cos(np.pi * last / (12 * STEPS)))
    np.testing.assert_allclose(rates(solver=solver, learning_rate="cosine"), expected)


def test_one_cycle_goes_up_and_then_down():
    found = rates(learning_rate="one_cycle", max_iter=50)
    top = int(np.argmax(found))
    assert 0.25 * 50 <= top <= 0.35 * 50
    assert 0.0099 < found[top] <= 0.01
    assert np.all(np.diff(found[: top + 1]) > 0)
    assert np.all(np.diff(found[top:]) < 0)
    assert found[0] < 0.1 * 0.01
    assert found[-1] < 1e-3 * 0.01


def test_one_cycle_begins_at_a_25th_and_ends_at_a_ten_thousandth_of_that():
    """One step an epoch: up along half a cosine for 30 of a hundred steps, down for 70."""
    found = rates(learning_rate="one_cycle", max_iter=100, batch_size=N)
    low, high, end = 0.01 / 25, 0.01, 0.01 / 25 / 1e4
    step = np.arange(100)
    up = low + (high - low) * (1 - np.cos(np.pi * step / 30)) / 2
    down = end + (high - end) * (1 + np.cos(np.pi * (step - 30) / 70)) / 2
    np.testing.assert_allclose(found, np.where(step < 30, up, down), rtol=1e-9)


def test_schedules_change_what_is_learned():
    models = [net(learning_rate=name).fit(X, y) for name in ("constant", "cosine", "one_cycle")]
    for one, two in pairwise(models):
        assert np.abs(one.coefs_[0] - two.coefs_[0]).max() > 1e-4


def test_the_history_has_a_value_an_epoch():
    model = net(hidden_layer_sizes=(8, 6)).fit(X, y)
    shapes = {name: model.history_[name].shape for name in model.history_}
    vectors = ["objective", "loss", "validation_loss", "validation_score", "learning_rate"]
    assert shapes == dict.fromkeys([*vectors, "seconds"], (12,)) | {"weight_norms": (12, 3)}
    norms = [np.linalg.norm(W) for W in model.coefs_]
    np.testing.assert_allclose(model.history_["weight_norms"][-1], norms, rtol=1e-5)
    assert np.all(model.history_["seconds"] > 0)
    np.testing.assert_allclose(model.loss_curve_, model.history_["objective"])
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.loss_ == model.loss_curve_[-1]
    assert model.n_iter_ == 12
    assert model.t_ == 12 * N


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_the_clean_loss_is_that_of_a_prediction(solver):
    model = net(solver=solver, alpha=0.1, dtype="float64").fit(X, y)
    loss = np.mean((model.predict(X) - y) ** 2) / 2
    np.testing.assert_allclose(model.history_["loss"][-1], loss, rtol=1e-6)


def test_verbose_prints_a_line_an_epoch(capsys):
    net(verbose=True).fit(X, y, X_val=X[:30], y_val=y[:30])
    lines = [line for line in capsys.readouterr().out.splitlines() if "Iteration" in line]
    assert len(lines) == 12
    for number, line in enumerate(lines, start=1):
        assert re.match(rf"Iteration {number}, loss = \d+\.\d{{8}}\b", line)
        assert len(re.findall(r"loss", line)) == 2
        assert re.search(r"\d s left", line)
    net().fit(X, y)
    assert capsys.readouterr().out == ""


def test_verbose_says_how_long_it_will_take(capsys):
    def slow(model, X, y):
        time.sleep(0.06)
        return 0.0

    model = net(max_iter=5, verbose=True, scoring=slow).fit(X, y, X_val=X, y_val=y)
    left = [float(x) for x in re.findall(r"([\d.]+) s left", capsys.readouterr().out)]
    seconds = model.history_["seconds"]
    assert np.all(seconds >= 0.05)  # evaluation included
    np.testing.assert_allclose(left[0], 4 * seconds[0], atol=0.051)
    assert left[0] > left[-1] == 0


class Recorder:
    """A hook that keeps what it is told and may stop the training, or do something worse."""

    def __init__(self, stop_at=None, act=None):
        self.stop_at, self.act = stop_at, act
        self.epochs, self.calls = [], []

    def on_fit_begin(self, estimator):
        self.calls.append("begin")

    def on_epoch_end(self, estimator, epoch, history):
        self.calls.append("epoch")
        self.epochs.append((epoch, float(history["objective"][-1]), estimator.coefs_[0].copy()))
        if epoch == self.stop_at:
            if self.act is None:
                return True
            self.act()
        return None

    def on_fit_end(self, estimator):
        self.calls.append("end")


def test_callbacks_see_every_epoch():
    recorder = Recorder()
    model = net(callbacks=[recorder]).fit(X, y)
    assert recorder.calls == ["begin", *["epoch"] * 12, "end"]
    assert [epoch for epoch, _, _ in recorder.epochs] == list(range(1, 13))
    np.testing.assert_allclose([each[1] for each in recorder.epochs], model.loss_curve_)
    np.testing.assert_array_equal(recorder.epochs[-1][2], model.coefs_[0])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_callback_may_stop_the_training(solver):
    model = net(callbacks=[Recorder(), Recorder(stop_at=4)], solver=solver)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that it was stopped is no failure to converge
        model.fit(X, y)
    assert model.n_iter_ == 4
    assert np.isfinite(model.predict(X)).all()


@pytest.fixture
def interruptible():
    """A process in the background may have been told to ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_ctrl_c_keeps_the_best_weights_so_far(solver):
    recorder = Recorder(stop_at=5, act=lambda: signal.raise_signal(signal.SIGINT))
    model = net(callbacks=[recorder], solver=solver)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y)
    assert model.n_iter_ == 5
    objectives = [objective for _, objective, _ in recorder.epochs]
    best = recorder.epochs[int(np.argmin(objectives))][2]
    np.testing.assert_allclose(model.coefs_[0], best, rtol=1e-6)  # L-BFGS works in float64
    assert np.isfinite(model.predict(X)).all()
    model.set_params(callbacks=None, warm_start=True, max_iter=2).fit(X, y)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_ctrl_c_before_the_training_is_passed_on(solver):
    class Impatient:
        def on_fit_begin(self, estimator):
            signal.raise_signal(signal.SIGINT)

    model = net(solver=solver).fit(X, y)
    before = model.predict(X)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callbacks=[Impatient()]).fit(2 * X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.n_iter_ == len(model.loss_curve_)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_divergence_says_what_to_lower(solver, dtype):
    rate = {"float32": 1e30, "float64": 1e300}[dtype]
    model = net(solver=solver, learning_rate_init=rate, activation="identity", dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no overflow on the way
        with pytest.raises(ValueError, match="learning_rate_init") as caught:
            model.fit(X, 100 * y)
    assert "non-finite" in str(caught.value)
    assert not hasattr(model, "loss_")


def test_divergence_leaves_what_an_earlier_fit_learned():
    model = net(warm_start=True).fit(X, y)
    before = model.predict(X)
    model.set_params(solver="sgd", learning_rate_init=1e30)
    with pytest.raises(ValueError, match=r"learning_rate_init|solver"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_an_end_without_convergence_is_said_and_one_with_it_is_not():
    with pytest.warns(ConvergenceWarning, match=r"^Stochastic Optimizer: .* \(12\) reached"):
        net().fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = net(max_iter=1000, tol=1e-2, learning_rate_init=0.02, n_iter_no_change=5)
        model.fit(X, y)
    assert model.n_iter_ < 1000


def test_scikit_learn_s_callbacks_are_spoken_where_they_are():
    callback = pytest.importorskip("sklearn.callback")
    from sklearn.metrics import make_scorer, r2_score

    monitor = callback.ScoringMonitor(scoring=make_scorer(r2_score))
    model = net().set_callbacks(monitor).fit(X, y)
    scores = [row["score"] for row in monitor.get_logs(select="most_recent").data if "score" in row]
    assert len(scores) >= 12  # one an epoch, and what the fit itself adds
    np.testing.assert_allclose(scores[-1], model.score(X, y), rtol=1e-6)
    assert len(set(scores)) >= 12


class Threads:
    """The threads of BLAS while a net is trained."""

    def __init__(self):
        self.seen = set()

    def on_epoch_end(self, estimator, epoch, history):
        self.seen |= blas_threads()


def blas_threads():
    found = threadpoolctl.threadpool_info()
    return {each["num_threads"] for each in found if each["user_api"] == "blas"}


def test_small_nets_use_one_thread_of_blas_and_large_ones_more():
    """Which library has them is in test_threads.py."""
    wide = RNG.standard_normal((200, 500))
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("this BLAS has one thread")
        for size, most in ((8, 1), (1000, 2)):
            threads = Threads()
            net(hidden_layer_sizes=size, batch_size=200, max_iter=2, callbacks=[threads]).fit(
                wide, wide[:, 0]
            )
            assert max(threads.seen) == most
            assert blas_threads() == {2}
        with pytest.raises(ValueError, match="diverged"):
            net(learning_rate_init=1e30, solver="sgd").fit(X, 100 * y)
        assert blas_threads() == {2}
