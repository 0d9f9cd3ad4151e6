"""What a network says of a training that has come to nothing, and when it says nothing."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import MLPClassifier, MLPRegressor

RNG = np.random.default_rng(0)
N = 300
X = RNG.standard_normal((N, 5))
Y = X[:, 0] + 0.1 * RNG.standard_normal(N)
CLASSES = np.digitize(Y, [-0.7, 0.7])
DIGITS = load_digits(return_X_y=True)


def said(model, *data, **more):
    """The messages of a fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data, **more)
    return [str(each.message) for each in caught]


# A fit that is no better than a constant


def test_progress_lost_in_rounding_is_no_convergence():
    """An epoch gains more than tol, and less than what float32 can tell of the objective."""
    model = MLPRegressor(20, random_state=0, max_iter=60)
    (message,) = said(model, X, 1e8 * Y)
    assert model.n_iter_ == 60
    assert message.startswith("Stochastic Optimizer: Maximum iterations (60) reached")
    assert "no better than a constant" in message
    assert "TransformedTargetRegressor" in message


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
def test_an_optimum_is_still_one_where_rounding_is_larger_than_tol(scale):
    """A linear network, started at the optimum: what is left is rounding."""
    y = scale * (Y + 3.0)
    model = MLPRegressor((), warm_start=True, alpha=0.0, random_state=0, max_iter=300)
    model.set_params(batch_size=N, n_iter_no_change=5)
    with_ones = np.column_stack([X, np.ones(N)])
    best = np.linalg.lstsq(with_ones, y, rcond=None)[0]
    said(model.set_params(max_iter=1), X, y)
    model.coefs_[0][:, 0], model.intercepts_[0][:] = best[:5], best[5]
    assert said(model.set_params(max_iter=300), X, y) == []
    assert model.n_iter_ < 300
    assert model.score(X, y) > 0.98


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "sgd"}])
@pytest.mark.parametrize("target", ["years", "small"])
def test_targets_far_from_unit_size_name_the_remedy(target, options):
    y = 2000 + 10 * Y if target == "years" else 1e-3 * Y
    if target == "years" and "solver" in options:
        options = {**options, "learning_rate_init": 1e-6}  # or it diverges
    model = MLPRegressor(20, random_state=0, max_iter=30, **options)
    (message,) = said(model, X, y)
    assert "no better than a constant" in message
    assert "scale y, as Transformed" in message
    assert "scale X" not in message
    assert model.score(X, y) < 0


def test_time_stamps_are_no_target():
    """The first iteration of L-BFGS gains less than the share of the objective that stops it."""
    stamps = 1.6e9 + 100 * Y
    model = MLPRegressor(5, solver="lbfgs", random_state=0)
    (message,) = said(model, X, stamps)
    assert "constant prediction: scale y" in message
    assert model.score(X, stamps) < 0


def test_the_target_that_is_missed_is_named():
    """Its part of a loss of several targets is nothing beside the others'."""
    model = MLPRegressor(50, random_state=0, max_iter=80, learning_rate_init=0.01)
    two = np.column_stack([Y, 1e-4 * X[:, 1]])
    (message,) = said(model, X, two)
    assert "The fit of target 1 is no better than a constant" in message


@pytest.mark.parametrize(
    ("options", "batch"),
    [
        ({}, 200),
        ({"batch_size": 50}, 50),
        ({"penalty": "l1"}, 200),
        ({"solver": "lbfgs"}, 1797),
        ({"hidden_layer_sizes": (50, 50)}, 200),
    ],
)
def test_a_penalty_that_leaves_a_constant_gives_the_conversion(options, batch):
    model = MLPClassifier(**{"alpha": 1.0, "max_iter": 60, "random_state": 0, **options})
    messages = said(model, DIGITS[0] / 16, DIGITS[1])
    assert len(messages) == 1
    assert f"divides its alpha by the batch size, here {batch}" in messages[0]
    assert f"alpha={1 / batch:.3g} here" in messages[0]
    said(model.set_params(alpha=1 / batch), DIGITS[0] / 16, DIGITS[1])
    assert model.score(DIGITS[0] / 16, DIGITS[1]) > 0.9


def test_a_decay_that_leaves_a_constant_is_named():
    options = {"weight_decay": 50.0, "learning_rate_init": 0.01, "max_iter": 60}
    (message,) = said(MLPClassifier(10, random_state=0, **options), X, CLASSES)
    assert "weight_decay=50 leaves no weights" in message


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_that_has_learned_says_nothing(loss, weighted):
    options = {"learning_rate": "one_cycle", "learning_rate_init": 0.01, "max_iter": 30}
    model = MLPRegressor(20, loss=loss, random_state=0, **options)
    assert said(model, X, Y, np.arange(N) % 3 if weighted else None) == []


@pytest.mark.parametrize("value", [0.0, 5.0, -300.0])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_target_that_is_a_constant_can_be_met(value, solver):
    options = {"learning_rate_init": 0.02, "max_iter": 500}
    model = MLPRegressor(20, solver=solver, random_state=0, **options)
    assert not any("constant" in message for message in said(model, X, np.full(N, value)))


def test_one_class_alone_is_no_fault():
    model = MLPClassifier(5, learning_rate_init=0.01, max_iter=500, random_state=0)
    assert said(model, X, np.zeros(N)) == []


def test_a_few_epochs_of_partial_fit_say_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MLPRegressor(5).partial_fit(X, 1e8 * Y)


@pytest.mark.parametrize(
    ("Z", "target", "remedy"),
    [
        (1000 * X, Y, "scale X"),
        (1e-3 * X, Y, "scale X"),
        (100 * X, 100 * Y, "scale X, as StandardScaler in a Pipeline does; scale y"),
        (X, 30 + Y, "scale y"),
        (X, Y, "train for longer"),
    ],
)
def test_the_remedy_is_what_the_data_need(Z, target, remedy):
    model = MLPRegressor(5, max_iter=1, learning_rate_init=1e-6, random_state=0)
    (message,) = said(model, Z, target)
    assert f"constant prediction: {remedy}" in message


def test_probabilities_are_judged_by_the_shares_of_the_classes():
    """Labels may be right more often than not, and their probabilities worthless."""
    rng = np.random.default_rng(1)
    rows = np.column_stack([rng.standard_normal(N), 1e4 * rng.standard_normal((N, 20))])
    model = MLPClassifier(5, max_iter=20, early_stopping=True, random_state=0)
    messages = said(model, rows, CLASSES > 1)
    assert "The probabilities are no better than the shares of the classes: scale X" in messages[0]
    plain = MLPClassifier(5, max_iter=1, early_stopping=True, random_state=0)
    assert "early stopping put an early epoch back" in said(plain, X, CLASSES)[0]


def test_the_fits_of_a_search_say_the_same():
    """So that Python's filter shows it once."""
    years = 2000 + 10 * Y
    model = MLPRegressor(5, max_iter=3, random_state=0)
    messages = {m for k in range(3) for m in said(model, np.delete(X, k, 0), np.delete(years, k))}
    assert len(messages) == 1


# Messages that begin as scikit-learn's do


def test_messages_begin_as_those_of_scikit_learn():
    """Filters go by the beginning of a message."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Stochastic Optimizer: Maximum iterations")
        warnings.filterwarnings("ignore", "lbfgs failed to converge")
        MLPClassifier(5, max_iter=2).fit(X, CLASSES)
        MLPClassifier(5, max_iter=2, solver="lbfgs").fit(X, CLASSES)
    for options, y, begin in (
        ({"learning_rate_init": 1e30, "solver": "sgd"}, Y, "Solver produced non-finite"),
        ({"hidden_layer_sizes": (0,)}, Y, "hidden_layer_sizes must be > 0"),
        ({"early_stopping": True, "validation_fraction": 1e-6}, Y, "The validation set is too sm"),
    ):
        with pytest.raises(ValueError, match=f"^{begin}"):
            MLPRegressor(**options).fit(X, y)
    with pytest.raises(ValueError, match=r"^classes must be passed on the first call to partial"):
        MLPClassifier().partial_fit(X, CLASSES)
    with pytest.raises(ValueError, match=r"is not the same as on last call to partial_fit, was"):
        MLPClassifier().partial_fit(X, CLASSES, classes=[0, 1, 2]).partial_fit(
            X, CLASSES, classes=[0, 1, 2, 3]
        )
    warm = MLPClassifier(5, max_iter=2, warm_start=True)
    said(warm, X, CLASSES)
    with pytest.raises(ValueError, match=r"^warm_start can only be used where `y` has the same"):
        warm.fit(X, CLASSES > 0)


def test_lines_are_those_of_scikit_learn(capsys):
    options = {"early_stopping": True, "verbose": True, "max_iter": 40, "learning_rate": "adaptive"}
    options |= {"solver": "sgd", "n_iter_no_change": 1, "tol": 0.5, "random_state": 0}
    model = MLPClassifier(5, **options)
    said(model, X, CLASSES)
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if line.startswith("Iteration")]
    assert [float(line.split("loss = ")[1].split(",")[0]) for line in lines] == pytest.approx(
        model.loss_curve_, abs=1e-8
    )
    scores = [line for line in out.splitlines() if line.startswith("Validation score: ")]
    assert len(scores) == len(lines)
    no_progress = (
        "Validation score did not improve more than tol=0.500000 for 1 consecutive epochs."
    )
    assert f"{no_progress} Setting learning rate to 0.000200" in out
    assert out.endswith(f"{no_progress} Stopping.\n")


# Validation data in another unit


@pytest.mark.parametrize("sparse", [False, True])
def test_validation_data_that_a_scaler_has_not_seen_are_noticed(sparse):
    raw = 50 + 10 * X
    scaler = StandardScaler().fit(raw)
    form = scipy.sparse.csr_array if sparse else np.asarray
    model = MLPRegressor(5, max_iter=2, random_state=0)
    scaled, unscaled = form(scaler.transform(raw)), form(raw[:40])
    messages = said(model, scaled, Y, X_val=unscaled, y_val=Y[:40])
    far = [message for message in messages if "X_val lies far outside X" in message]
    assert len(far) == 1
    assert "transform_input=['X_val']" in far[0]
    messages = said(model, scaled, Y, X_val=form(scaler.transform(raw[:40])), y_val=Y[:40])
    assert not any("lies far" in message for message in messages)


def test_a_y_val_in_another_unit_is_noticed():
    model = MLPRegressor(5, max_iter=2, random_state=0)
    messages = said(model, X, Y, X_val=X[:40], y_val=1000 + 50 * Y[:40])
    assert any("y_val lies far outside y" in message for message in messages)


def test_a_pipeline_transforms_validation_data():
    raw = 50 + 10 * X
    options = {"early_stopping": True, "max_iter": 20, "random_state": 0}
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPRegressor(5, **options).set_fit_request(X_val=True, y_val=True)
        steps = [("scale", StandardScaler()), ("net", model)]
        pipe = Pipeline(steps, transform_input=["X_val"])
        messages = said(pipe, raw, Y, X_val=raw[:40], y_val=Y[:40])
    assert not any("lies far" in message for message in messages)
    scaled = make_pipeline(StandardScaler()).fit(raw)
    alone = MLPRegressor(5, **options)
    said(alone, scaled.transform(raw), Y, X_val=scaled.transform(raw[:40]), y_val=Y[:40])
    np.testing.assert_array_equal(pipe["net"].coefs_[0], alone.coefs_[0])


@pytest.mark.parametrize("learner", [MLPRegressor(4, loss="poisson"), MLPClassifier(4)])
def test_the_category_is_that_of_what_has_not_converged(learner):
    with pytest.warns(ConvergenceWarning):
        learner.set_params(max_iter=1).fit(X, CLASSES)
