"""Metrics at all alphas at once are those of scikit-learn's scorers, one alpha at a time."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, get_scorer, make_scorer

from skreg import LinearSVCCV
from skreg.linear import scoring
from skreg.linear.scoring import negated_class_scores, negated_scores, scorer_of_classes
from skreg.objective.losses import Logistic, Multinomial
from skreg.selection.cross_validate import HeldOut

N, ALPHAS = 30, 4
WEIGHTS = ({}, {"sample_weight": np.linspace(0.0, 2.0, 2 * N)})


@pytest.fixture
def one_by_one(monkeypatch):
    """Asks the scorer itself."""
    return lambda: monkeypatch.setattr(scoring, "metric_of", lambda *args, **more: None)


def held_out(rng, n_outputs, loss=None):
    rows = np.arange(0, 2 * N, 2)
    eta = 3.0 * rng.standard_normal((N, n_outputs, ALPHAS))
    eta[0] = 40.0  # where probabilities are one
    targets = rng.standard_normal((N, n_outputs))
    given = {} if loss is None else {"loss": loss}
    return HeldOut(rows, targets, np.full(N, 1.0 / N), lambda: eta, **given)


@pytest.mark.parametrize("params", WEIGHTS)
@pytest.mark.parametrize("by_target", [False, True])
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize(
    "name",
    [
        "neg_mean_squared_error",
        "neg_root_mean_squared_error",
        "neg_mean_absolute_error",
        "r2",
    ],
)
def test_of_targets(name, n_targets, by_target, params, one_by_one):
    given = held_out(np.random.default_rng(0), n_targets)
    assert scoring.metric_of(get_scorer(name), scoring.OF_TARGETS, params) is not None
    found = negated_scores(get_scorer(name), params, by_target, given)
    one_by_one()
    wanted = negated_scores(get_scorer(name), params, by_target, given)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("params", WEIGHTS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", ["accuracy", "neg_log_loss"])
def test_of_classes(name, n_classes, params, one_by_one):
    rng = np.random.default_rng(1)
    classes = np.array(["ash", "elm", "fir", "oak"][:n_classes])
    labels = rng.choice(classes[: max(n_classes - 1, 2)], 2 * N)  # the last may be missing
    loss, n_outputs = (Logistic(), 1) if n_classes == 2 else (Multinomial(), n_classes)
    given = held_out(rng, n_outputs, loss)
    scorer = scorer_of_classes(get_scorer(name), classes)
    assert scoring.metric_of(scorer, scoring.OF_CLASSES, params, labels=classes) is not None
    found = negated_class_scores(scorer, params, labels, classes, given)
    one_by_one()
    wanted = negated_class_scores(scorer, params, labels, classes, given)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    "scorer",
    [
        make_scorer(accuracy_score, normalize=False),
        get_scorer("roc_auc"),
        make_scorer(accuracy_score, response_method=["predict"]),
        lambda model, X, y: 0.0,
    ],
)
def test_another_scorer_is_asked_itself(scorer):
    assert scoring.metric_of(scorer, scoring.OF_CLASSES, {}) is None


def test_other_arguments_and_weights_of_zero_are_the_scorers():
    scorer = get_scorer("accuracy")
    for params in ({"groups": np.ones(3)}, {"sample_weight": np.zeros(3)}):
        assert scoring.metric_of(scorer, scoring.OF_CLASSES, params) is None


def test_a_constant_target_has_the_r2_of_scikit_learn():
    rng = np.random.default_rng(0)
    given = held_out(rng, 1)
    given.targets[:] = 1.0
    np.testing.assert_array_equal(negated_scores(get_scorer("r2"), {}, False, given), 0.0)


def test_a_model_without_probabilities_has_no_log_loss():
    X = np.random.default_rng(0).standard_normal((40, 2))
    with pytest.raises(AttributeError, match="predict_proba"):
        LinearSVCCV(scoring="neg_log_loss", cv=3).fit(X, X[:, 0] > 0)
