"""Pictures of networks that keep more or less of their training, and text that runs backwards."""

import re
import warnings
from dataclasses import replace

import pytest
import report_contents as examples
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier

from skreg import ConvClassifier
from skreg.report import page, pictures, wording


def captions(network):
    made = examples.classification()
    X, y = load_iris(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ten epochs are few
        fitted = network.fit(X, y)
    model = replace(made.models[0], estimator=fitted)
    return [drawn.caption for drawn in pictures.of_model(model, made, 0)]


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "sgd"}])
def test_a_network_of_scikit_learn(options):
    history, weights, _ = captions(MLPClassifier((4,), max_iter=10, **options))
    assert history == "How the network was trained."
    assert weights == "Weights of each layer, biases left out."


def test_a_network_without_a_history():
    weights, confusion = captions(MLPClassifier((4,), max_iter=10, solver="lbfgs"))
    assert weights == "Weights of each layer, biases left out."
    assert confusion.startswith("Actual and predicted classes")


def test_a_network_of_convolutions_shows_its_kernels():
    _, weights, kernels, _ = captions(ConvClassifier(4, kernel_size=2, max_iter=2))
    assert weights == "Weights of each layer, biases left out."
    assert kernels == "Kernels of the first convolution."


BACKWARDS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_no_name_turns_the_words_of_the_page_around():
    made = examples.regression([f"b{BACKWARDS}mi", "bp"])
    model = replace(made.models[0], name="\u202elasso", settings="\u2067", notes=("\u202d",))
    html = page.render(replace(made, models=(model, made.models[1]), title="\u202e"))
    assert not re.search(f"[{BACKWARDS}]", html)
    assert "b\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdmi" in html
    assert "\ufffdlasso" in html


def test_the_difference_knows_as_much_of_the_folds_as_the_scores(monkeypatch):
    made = examples.regression()
    plain = wording.result(made)
    kind = type(made.models[0].scores[0])
    usual = kind.standard_error.fget
    monkeypatch.setattr(kind, "standard_error", property(lambda score: 2 * usual(score)))
    doubled = wording.result(made)
    assert "the difference is 0.0080 ± 0.0049" in plain
    assert "the difference is 0.0080 ± 0.0098" in doubled
