"""Fits keep BLAS to one thread and put back what was."""

import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from threadpoolctl import ThreadpoolController

from skreg import Lasso, LassoCV, MLPRegressor, Ridge, enet_path, regularization_path
from skreg.data.design import Design
from skreg.estimators.runtime import with_one_blas_thread

X, y = load_diabetes(return_X_y=True)


def blas_threads() -> set[int]:
    blas = ThreadpoolController().select(user_api="blas")
    return {library["num_threads"] for library in blas.info()}


@pytest.fixture
def _two_threads():
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("this BLAS has one thread")
        yield


@pytest.mark.parametrize(
    "fit",
    [
        lambda: Lasso().fit(X, y),
        lambda: LassoCV(cv=2, alphas=[0.1]).fit(X, y),
        lambda: regularization_path(Lasso(), X, y, alphas=3),
        lambda: enet_path(X, y, alphas=3),
    ],
)
@pytest.mark.usefixtures("_two_threads")
def test_a_fit_uses_one_thread(fit, monkeypatch):
    seen = []
    inner = Design.norm2

    def watched(*args):
        seen.append(blas_threads())
        return inner(*args)

    monkeypatch.setattr(Design, "norm2", watched)
    fit()
    assert seen
    assert all(threads == {1} for threads in seen)
    assert blas_threads() == {2}


@pytest.mark.usefixtures("_two_threads")
def test_a_fit_that_fails_puts_the_threads_back():
    with pytest.raises(ValueError, match="at least one non-zero"):
        Ridge().fit(X, y, np.zeros(len(y)))
    assert blas_threads() == {2}


@pytest.mark.usefixtures("_two_threads")
def test_fits_that_overlap_put_back_what_was_before_the_first(monkeypatch):
    entered, leave = threading.Event(), threading.Event()
    inner = Design.norm2

    def slow(*args):
        if threading.current_thread() is other:
            entered.set()
            leave.wait(10)
        return inner(*args)

    monkeypatch.setattr(Design, "norm2", slow)
    other = threading.Thread(target=lambda: Lasso().fit(X, y))
    other.start()
    assert entered.wait(10)
    Lasso().fit(X, y)  # begins after the other and ends before it
    leave.set()
    other.join()
    assert blas_threads() == {2}


class Watcher:
    """What each BLAS library was set to at the end of an epoch: SciPy's own, and the others."""

    def on_epoch_end(self, model, epoch, history):
        self.of_scipy, self.of_others = set(), set()
        for library in ThreadpoolController().select(user_api="blas").info():
            own = {"scipy", "scipy.libs"} & set(Path(library["filepath"]).parts)
            (self.of_scipy if own else self.of_others).add(library["num_threads"])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("n_hidden", "of_others"), [(4, {1}), (2000, {2})])
@pytest.mark.usefixtures("_two_threads")
def test_only_the_products_of_a_wide_network_use_the_threads(n_hidden, of_others):
    """Threads of two libraries at once wait for each other: ten times as long for a step."""
    watcher = Watcher()
    Z = np.random.default_rng(0).standard_normal((200, 100))
    MLPRegressor(n_hidden, max_iter=1, callbacks=[watcher]).fit(Z, Z[:, 0])
    assert watcher.of_others == of_others
    if not watcher.of_scipy:
        pytest.skip("NumPy and SciPy share one BLAS")
    assert watcher.of_scipy == {1}
    assert blas_threads() == {2}


class PathAlone:
    """A function with the face of an estimator."""

    def fit(self, X, y):
        return enet_path(X, y, alphas=3)


@pytest.mark.parametrize("n_fits", [100, pytest.param(1500, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(
    "model",
    [Lasso(), Ridge(solver="svd"), MLPRegressor(2, max_iter=2, warm_start=True), PathAlone()],
)
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer that interrupts")
@pytest.mark.filterwarnings("ignore")  # scikit-learn's own filters, where Ctrl-C struck them
@pytest.mark.usefixtures("_two_threads")
def test_ctrl_c_at_any_moment_of_a_fit_puts_everything_back(model, n_fits):
    """The threads, NumPy's error handling and the attributes, and the next fit has its limit."""
    blas = ThreadpoolController().select(user_api="blas").lib_controllers

    def threads():
        return {library.num_threads for library in blas}

    rng, few, errors = np.random.default_rng(0), slice(30), np.geterr()
    model.fit(X[few], y[few])
    names = set(vars(model))
    start = time.perf_counter()
    model.fit(X[few], y[few])
    length = time.perf_counter() - start
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    n_struck = 0
    try:
        for _ in range(n_fits):
            try:
                signal.setitimer(signal.ITIMER_REAL, max(2e-5, rng.uniform(0, length)))
                model.fit(X[few], y[few])
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                n_struck += 1
            assert threads() == {2}
            assert with_one_blas_thread(threads) == {1}
            assert np.geterr() == errors
            assert set(vars(model)) == names
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert n_struck
