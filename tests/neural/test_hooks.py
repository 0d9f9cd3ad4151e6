"""What hooks find: the results at the end, none of an earlier fit, the weights of the rows."""

import pickle
import re

import numpy as np
import pytest
from sklearn.metrics import make_scorer, r2_score

from skreg import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
N = 90
X = RNG.standard_normal((N, 5))
y = X[:, 0] + np.abs(X[:, 1])
RESULTS = ("loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_")
RESULTS += ("restored_epoch_", "n_iter_")
KINDS = {
    "adam": {},
    "early stopping": {"early_stopping": True},
    "sgd": {"solver": "sgd"},
    "lbfgs": {"solver": "lbfgs"},
}


def net(**options):
    return MLPRegressor(**{"hidden_layer_sizes": 8, "max_iter": 6, "random_state": 0, **options})


class Reader:
    """Keeps the results as they are at the end, and which there are before."""

    def on_epoch_end(self, model, epoch, history):
        self.early = {name for name in RESULTS if hasattr(model, name)}

    def on_fit_end(self, model):
        self.results = {name: getattr(model, name) for name in RESULTS}
        self.coef = model.coefs_[0].copy()
        self.pickled = pickle.dumps(model.set_params(callbacks=None))


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_hook_sees_the_results(kind):
    reader = Reader()
    model = net(callbacks=[reader], **KINDS[kind]).fit(X, y)
    assert reader.results == {name: getattr(model, name) for name in RESULTS}
    assert len(reader.results["loss_curve_"]) == model.n_iter_
    np.testing.assert_array_equal(reader.coef, model.coefs_[0])
    assert reader.coef.dtype == np.float32
    assert pickle.loads(reader.pickled).loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("kind", KINDS)
def test_no_hook_sees_results_of_an_earlier_fit(kind):
    reader = Reader()
    model = net(**KINDS[kind]).fit(X, y)
    model.set_params(callbacks=[reader]).fit(X, y)
    assert reader.early == {"loss_", "n_iter_"}  # they are of the epoch


@pytest.mark.parametrize("weights", [None, RNG.uniform(0.1, 3.0, N)], ids=["none", "some"])
def test_scikit_learn_s_callbacks_get_the_weights(weights):
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring=make_scorer(r2_score))
    model = net().set_callbacks(monitor).fit(X, y, weights)
    scores = [row["score"] for row in monitor.get_logs(select="most_recent").data if "score" in row]
    assert scores[-1] == pytest.approx(model.score(X, y, weights), rel=1e-6)
    if weights is not None:
        assert abs(scores[-1] - model.score(X, y)) > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_in_the_first_epoch_leaves_all_attributes(kind):
    """Nothing is known of the objective then."""

    def impatient(model, X, y):
        raise KeyboardInterrupt

    model = net(scoring=impatient, **KINDS[kind])
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, y, X_val=X[:20], y_val=y[:20])
    assert np.isnan(model.loss_)
    assert model.best_loss_ is None if kind == "early stopping" else np.isnan(model.best_loss_)
    assert model.loss_curve_ == model.validation_scores_ == []
    assert np.isnan(model.best_validation_score_)
    assert model.n_iter_ == model.restored_epoch_ == 0
    assert np.isfinite(model.predict(X)).all()
    if kind == "lbfgs":
        return
    model.set_params(scoring=None).partial_fit(X, y)
    assert model.loss_ == model.best_loss_ or kind == "early stopping"


def test_lbfgs_that_need_not_move_knows_its_objective():
    model = net(solver="lbfgs", tol=1e6).fit(X, y)
    assert model.loss_curve_ == []
    assert model.loss_ == model.best_loss_ > 0


@pytest.mark.parametrize("estimator", [MLPRegressor, MLPClassifier])
def test_verbose_counts_partial_fits(estimator, capsys):
    model = estimator(8, verbose=True, random_state=0)
    target, known = (y, {}) if estimator is MLPRegressor else (y > 0, {"classes": [False, True]})
    for _ in range(3):
        model.partial_fit(X, target, **known)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines, start=1):
        pattern = rf"Iteration {number}, loss = \d+\.\d{{8}}, without penalty and noise [\d.]+"
        assert re.fullmatch(pattern, line)
    assert f"loss = {model.loss_:.8f}" in lines[-1]
    model.set_params(verbose=False).partial_fit(X, target)
    assert capsys.readouterr().out == ""
