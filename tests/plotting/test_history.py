"""The history of a training: curves, the restored epoch, and a note that the numbers bear out."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import neural_network
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skreg import MLPClassifier, MLPRegressor, TrainingHistoryDisplay

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]
NET = {"hidden_layer_sizes": 40, "learning_rate_init": 0.01, "max_iter": 60, "random_state": 0}


@pytest.fixture(scope="module")
def model():
    return MLPClassifier(early_stopping=True, scoring="loss", **NET).fit(X, y)


def column_axes():
    return plt.figure(figsize=(3.5, 2.7), layout="constrained").add_subplot()


def note(display):
    return "" if display.note_ is None else display.note_.get_text().replace("\n", " ")


def legend(display):
    return [text.get_text() for text in display.legend_.get_texts()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lines_are_the_history(dtype):
    fitted = MLPClassifier(early_stopping=True, dtype=dtype, **NET).fit(X, y)
    display = TrainingHistoryDisplay.from_estimator(fitted, panels="all")
    history = fitted.history_
    for line, name in [
        (display.training_line_, "loss"),
        (display.validation_line_, "validation_loss"),
        (display.score_line_, "validation_score"),
        (display.learning_rate_line_, "learning_rate"),
    ]:
        assert_array_equal(line.get_xdata(), np.arange(1, fitted.n_iter_ + 1))
        assert_array_equal(line.get_ydata(), history[name])
    labels = [axes.get_ylabel() for axes in display.axes_]
    assert labels == ["log-loss (nats)", "validation accuracy", "learning rate"]
    assert display.ax_ is display.axes_[0]
    assert display.axes_[-1].get_xlabel() == "epoch"


def test_the_restored_epoch_is_marked(model):
    display = TrainingHistoryDisplay.from_estimator(model, panels=("loss", "score"))
    best = int(np.argmax(model.validation_scores_)) + 1
    assert best < model.n_iter_
    assert model.restored_epoch_ == best
    for line in display.restored_lines_:
        assert_array_equal(line.get_xdata(), [best, best])
    assert len(display.restored_lines_) == 2
    assert f"epoch {best} restored" in legend(display)
    tops = display.restored_lines_[0].get_window_extent().y1
    display.figure_.canvas.draw()
    assert tops <= display.legend_.get_window_extent().y0 + 10


@pytest.mark.parametrize("options", [{"solver": "adam"}, {"solver": "sgd"}, {"solver": "lbfgs"}])
def test_the_restored_epoch_is_the_one_whose_weights_the_model_has(options):
    """The validation loss of the model is that of the history at this epoch, and at no other."""
    fitted = MLPClassifier(early_stopping=True, scoring="loss", **{**NET, **options})
    held = X[200:], y[200:]
    fitted.fit(X[:200], y[:200], X_val=held[0], y_val=held[1])
    probabilities = fitted.predict_proba(held[0])[np.arange(100), held[1]]
    at = np.flatnonzero(
        np.isclose(fitted.history_["validation_loss"], -np.log(probabilities).mean())
    )
    assert_array_equal(at + 1, [fitted.restored_epoch_])


def test_nothing_is_restored_without_early_stopping_or_by_partial_fit(model):
    assert MLPClassifier(**{**NET, "max_iter": 3}).fit(X, y).restored_epoch_ is None
    going_on = pickle.loads(pickle.dumps(model))
    n_before = going_on.history_.n_epochs
    going_on.partial_fit(X, y)
    assert going_on.restored_epoch_ is None
    display = TrainingHistoryDisplay.from_estimator(going_on)
    assert len(display.training_line_.get_xdata()) == n_before + 1
    assert display.restored_lines_ == []
    assert note(display) == ""  # the last epoch has no validation loss


def test_a_warm_start_that_gets_no_better_keeps_the_epoch():
    fitted = MLPClassifier(early_stopping=True, scoring="loss", warm_start=True, **NET).fit(X, y)
    first, n_first = fitted.restored_epoch_, fitted.history_.n_epochs
    weights = [coef.copy() for coef in fitted.coefs_]
    fitted.set_params(learning_rate_init=2.0, max_iter=4).fit(X, y)
    assert fitted.history_.n_epochs > n_first
    assert fitted.restored_epoch_ == first
    for before, after in zip(weights, fitted.coefs_, strict=True):
        assert_array_equal(before, after)
    TrainingHistoryDisplay.from_estimator(fitted)


@pytest.mark.parametrize("last", [1, 4])
def test_the_epoch_restored_after_an_interruption(last):
    class Stop:
        def on_epoch_end(self, model, epoch, history):
            if epoch == last:
                raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted"):
        fitted = MLPClassifier(callbacks=[Stop()], **NET).fit(X, y)
    assert fitted.restored_epoch_ == np.argmin(fitted.loss_curve_) + 1
    display = TrainingHistoryDisplay.from_estimator(fitted)
    assert len(display.training_line_.get_xdata()) == last
    assert display.training_line_.get_marker() == ("o" if last == 1 else "")  # seen in either case


def test_the_start_can_be_what_is_restored():
    display = TrainingHistoryDisplay({"loss": [3.0, 2.0]}, restored_epoch=0).plot()
    assert legend(display) == ["training", "start restored"]
    assert display.ax_.get_xlim()[0] < 0


FALLING = np.geomspace(1, 0.1, 50)
RISING = np.r_[np.linspace(1, 0.5, 20), np.linspace(0.5, 0.8, 31)[1:]]


@pytest.mark.parametrize(
    ("training", "validation", "restored", "said"),
    [
        (FALLING, RISING, None, "over-fitting after epoch 20: validation loss 0.5 to 0.8"),
        (FALLING, RISING, 20, "over-fitting after epoch 20: validation loss 0.5 to 0.8"),
        (FALLING, 1.1 * FALLING, None, "under-fitting: in the last 5 epochs"),
        (FALLING + 5, 1.1 * FALLING + 5, None, ""),  # falls by less than 2%
        (FALLING, np.maximum(FALLING, 0.3), None, "over-fitting: at epoch 50"),
        (FALLING, np.maximum(FALLING, 0.3), 45, "over-fitting: at epoch 45"),
        (np.full(50, 0.25), np.maximum(FALLING, 0.3), None, ""),
        # Validation rises, but so does training: that is no over-fitting.
        (1 / FALLING, RISING, None, ""),
        # A single bad epoch at the end.
        (np.full(50, 0.48), np.r_[np.full(49, 0.5), 0.9], None, ""),
        (FALLING, None, None, ""),
        (FALLING, np.r_[RISING[:-1], np.nan], None, ""),
        (FALLING[:4], RISING[:4], None, ""),
        (FALLING - 0.5, RISING, None, ""),
    ],
)
def test_the_note_says_what_the_numbers_say(training, validation, restored, said):
    history = {"loss": training}
    if validation is not None:
        history["validation_loss"] = validation
    display = TrainingHistoryDisplay(history, restored_epoch=restored).plot()
    if said:
        assert note(display).startswith(said)
    else:
        assert display.note_ is None


@pytest.mark.parametrize(
    ("below", "above", "word"),
    [
        # The validation loss of the last five of fifty epochs, after a best one of 1.
        ([1.04] * 5, [1.06] * 5, "over-fitting after epoch 45"),
        ([1.06] * 4 + [1.04], [1.06] * 4 + [1.051], "over-fitting after epoch 45"),
        ([0.999, 0.997, 0.995, 0.99, 0.985], [0.999, 0.997, 0.995, 0.99, 0.975], "under-fitting"),
        # Both losses of the last epoch: the training loss is 0.5 there.
        ([1.0, 1.0, 1.0, 1.0, 0.99], [1.0, 1.0, 1.0, 1.0, 1.01], "over-fitting: at epoch 50"),
    ],
)
def test_the_notes_thresholds(below, above, word):
    training = np.linspace(0.9, 0.5, 50)
    for last, said in ((below, False), (above, True)):
        validation = np.r_[np.linspace(2, 1, 45), last]
        display = TrainingHistoryDisplay({"loss": training, "validation_loss": validation}).plot()
        assert note(display).startswith(word) is said, last


def test_the_notes_numbers_are_the_histories():
    display = TrainingHistoryDisplay({"loss": FALLING, "validation_loss": RISING}).plot()
    assert note(display) == (
        "over-fitting after epoch 20: validation loss 0.5 to 0.8,"
        f" training {FALLING[19]:.3g} to 0.1"
    )
    display = TrainingHistoryDisplay(
        {"loss": FALLING, "validation_loss": 1.1 * FALLING}, epoch_name="iteration"
    ).plot()
    assert note(display) == (
        "under-fitting: in the last 5 iterations the validation loss still fell from"
        f" {1.1 * FALLING[-6]:.3g} to 0.11"
    )


def test_a_regressor_and_its_units():
    diabetes = load_diabetes(return_X_y=True)
    options = {"hidden_layer_sizes": 5, "max_iter": 12, "random_state": 0}
    fitted = MLPRegressor(early_stopping=True, solver="lbfgs", **options).fit(*diabetes)
    display = TrainingHistoryDisplay.from_estimator(fitted, panels="all")
    labels = [axes.get_ylabel() for axes in display.axes_]
    assert labels == ["half squared error (y²)", "validation R²"]  # L-BFGS has no learning rate
    assert display.axes_[-1].get_xlabel() == "iteration"
    fitted = MLPRegressor(loss="absolute_error", **options).fit(*diabetes)
    display = TrainingHistoryDisplay.from_estimator(fitted)
    assert display.ax_.get_ylabel() == "absolute error (y)"
    assert display.legend_ is display.note_ is display.validation_line_ is None


def test_the_losses_scale_is_logarithmic_where_they_span_much():
    for last, scale in ((0.1, "linear"), (0.01, "log"), (0.0, "linear")):
        display = TrainingHistoryDisplay({"loss": [1.0, 0.5, last]}).plot()
        assert display.ax_.get_yscale() == scale
    history = {"loss": FALLING, "validation_loss": RISING}
    assert TrainingHistoryDisplay(history).plot(loss_scale="log").ax_.get_yscale() == "log"


def test_scikit_learns_networks_are_drawn_with_what_they_have():
    theirs = neural_network.MLPClassifier(early_stopping=True, **NET).fit(X, y)
    display = TrainingHistoryDisplay.from_estimator(theirs, panels="all")
    assert_array_equal(display.training_line_.get_ydata(), theirs.loss_curve_)
    assert_array_equal(display.score_line_.get_ydata(), theirs.validation_scores_)
    best = int(np.argmax(theirs.validation_scores_)) + 1
    assert legend(display) == ["training, with penalty", f"epoch {best} restored"]
    assert display.note_ is None


def test_axes_of_ones_own(model):
    before = dict(mpl.rcParams)
    ax = column_axes()
    display = TrainingHistoryDisplay.from_estimator(model, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    _, axes = plt.subplots(2, layout="constrained")
    display = TrainingHistoryDisplay.from_estimator(model, ax=axes, panels=("score", "loss"))
    assert display.axes_ == list(axes)
    assert [a.get_xlabel() for a in axes] == ["epoch", "epoch"]
    pickle.loads(pickle.dumps(display.figure_)).canvas.draw()
    assert dict(mpl.rcParams) == before


def test_nothing_overlaps_on_one_column(model):
    display = TrainingHistoryDisplay.from_estimator(model, ax=column_axes())
    display.figure_.canvas.draw()
    box = display.legend_.get_window_extent()
    assert note(display)
    assert box.x1 <= display.figure_.bbox.x1
    for line in (display.training_line_, display.validation_line_):
        assert line.get_window_extent().y1 < box.y0 + 1


def test_kwargs_override_only_the_keys_they_name(model):
    plain = TrainingHistoryDisplay.from_estimator(model, panels="all")
    display = TrainingHistoryDisplay.from_estimator(
        model,
        panels="all",
        training_kwargs={"c": "red"},
        validation_kwargs={"lw": 3},
        score_kwargs={"linestyle": "-"},
        learning_rate_kwargs={"color": "blue"},
        restored_kwargs={"linewidth": 2},
        note_kwargs={"color": "green"},
        legend_kwargs={"ncols": 1},
    )
    assert display.training_line_.get_color() == "red"
    assert display.training_line_.get_linewidth() == plain.training_line_.get_linewidth()
    assert display.validation_line_.get_linewidth() == 3
    assert display.validation_line_.get_color() == plain.validation_line_.get_color()
    assert display.score_line_.get_linestyle() == "-"
    assert display.score_line_.get_color() == plain.score_line_.get_color()
    assert display.learning_rate_line_.get_color() == "blue"
    assert {line.get_linewidth() for line in display.restored_lines_} == {2}
    assert display.note_.get_color() == "green"
    assert display.note_.get_fontsize() == plain.note_.get_fontsize()


def test_what_cannot_be_drawn_is_refused(model):
    draw = TrainingHistoryDisplay.from_estimator
    with pytest.raises(AttributeError, match=r"MLPClassifier has no history_: call fit first"):
        draw(MLPClassifier())
    with pytest.raises(AttributeError, match=r"MLPRegressor has no history_: call fit first"):
        draw(neural_network.MLPRegressor())
    with pytest.raises(AttributeError, match=r"it is no multilayer perceptron"):
        draw(LinearRegression().fit(X, y))
    with pytest.raises(AttributeError, match=r"pipeline\[-1\]"):
        draw(make_pipeline(model))
    search = GridSearchCV(MLPClassifier(**{**NET, "max_iter": 2}), {"alpha": [0, 1]}, cv=2).fit(
        X, y
    )
    assert draw(search).history is search.best_estimator_.history_
    theirs = neural_network.MLPClassifier(5, solver="lbfgs", max_iter=3).fit(X, y)
    with pytest.raises(AttributeError, match=r"solver='lbfgs' keeps none"):
        draw(theirs)
    model_of_another_kind = LinearRegression()
    model_of_another_kind.history_ = [1, 2]
    with pytest.raises(AttributeError, match=r"history_ of LinearRegression is no mapping"):
        draw(model_of_another_kind)
    plt.close("all")
    for history, message in [
        ({}, 'no numbers under "loss"'),
        ({"loss": [np.nan]}, 'no numbers under "loss"'),
        ({"loss": [[1.0]]}, r"loss must have shape \(n_epochs,\)"),
        ({"loss": [1.0], "validation_loss": [1.0, 2]}, "differ in length: loss 1, validation"),
    ]:
        with pytest.raises(ValueError, match=message):
            TrainingHistoryDisplay(history).plot()
    with pytest.raises(ValueError, match="restored_epoch=3 is none of the 2 epochs"):
        TrainingHistoryDisplay({"loss": [2.0, 1]}, restored_epoch=3).plot()
    plain = TrainingHistoryDisplay({"loss": [2.0, 1]})
    for panels, message in [
        (("score",), "'score' has nothing to show"),
        (("losses",), "'losses' is unknown: choose from loss, score, learning_rate"),
        ("loss", 'give "all" or a sequence'),
        ((), "panels is empty"),
    ]:
        with pytest.raises(ValueError, match=message):
            plain.plot(panels=panels)
    with pytest.raises(ValueError, match="loss_scale='l' is unknown"):
        plain.plot(loss_scale="l")
    assert not plt.get_fignums()
    ax = column_axes()
    with pytest.raises(ValueError, match="1 axes are given for 2 panels"):
        draw(model, ax=ax, panels=("loss", "score"))
