"""What a report says is true: leaks, ties, scores near 1, choices that are none."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import ElasticNetCV, Lasso, LassoCV, RidgeCV
from skreg.plotting.history import fit_note
from skreg.report.columns import Columns
from skreg.report.leakage import formula, suspects
from skreg.report.pictures import _of_cv
from skreg.report.wording import result, score_text

LEAK = "predicts the target almost perfectly"


def titles(found):
    return " | ".join(one.title for one in found.cautions)


def texts(found):
    return " | ".join(one.text for one in found.cautions)


def test_a_column_that_a_class_predicts_does_not_predict_the_class(gather):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 400)
    # The classes explain all of its variance, and it tells two of the four from the others alone.
    x = np.array([0.0, 0.0, 10.0, 10.0])[y] + 1e-3 * rng.standard_normal(400)
    X = np.column_stack([x, rng.standard_normal(400)])
    assert suspects(Columns.of(X, ("x", "noise")), y, "classification", "y") == []
    assert LEAK not in titles(gather(LogisticRegression(), X, y))


@pytest.mark.parametrize(
    "made", [lambda y: y + 0.1, lambda y: (y * 7) % 4 + 0.01, lambda y: np.exp(3.0 * y)]
)
def test_a_column_that_tells_each_of_several_classes_is_a_leak(made):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 4, 400)
    X = np.column_stack([rng.standard_normal(400), made(y) + 1e-3 * rng.standard_normal(400)])
    (found,) = suspects(Columns.of(X, ("noise", "x")), y, "classification", "y")
    assert found.name == "x"
    assert found.how.startswith("balanced accuracy 0.99") or found.how.endswith("1.0000")
    rounded = np.column_stack([X[:, 0], made(y)])
    (found,) = suspects(Columns.of(rounded, ("noise", "x")), y, "classification", "y")
    assert found.how == "balanced accuracy 1.0000"


def test_petals_are_no_leak():
    X, y = load_iris(return_X_y=True)
    assert suspects(Columns.of(X, ("a", "b", "c", "d")), y, "classification", "species") == []


def test_many_categories_take_no_table_of_indicators():
    rng = np.random.default_rng(0)
    n, n_categories = 20_000, 2_000
    X = rng.integers(0, n_categories, n).astype(str).astype(object)[:, np.newaxis]
    table = Columns.of(X, ("town",))
    tracemalloc.start()
    assert suspects(table, rng.standard_normal(n), "regression", "y") == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * n_categories  # bytes: an eighth of such a table


def ledger(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "labour": rng.gamma(2, 100, n).round(2),
            "parts": rng.gamma(2, 50, n).round(2),
            "hours": rng.gamma(2, 3, n).round(1),
            "discount": rng.gamma(1, 10, n).round(2),
        }
    )


@pytest.mark.parametrize(
    ("total", "text", "kind"),
    [
        (lambda t: t.labour + t.parts, "labour + parts", "their sum"),
        (lambda t: (t.labour + t.parts).round(), "labour + parts", "their sum"),
        (
            lambda t: t.labour + t.parts - t.discount,
            "labour + parts − discount",
            "with these signs",
        ),
        (lambda t: t.labour / t.hours, "labour ÷ hours", "their product"),
        (lambda t: (t.labour * t.hours).round(2), "labour × hours", "their product"),
    ],
)
def test_a_target_that_is_computed_from_columns_is_a_leak(gather, total, text, kind):
    table = ledger()
    found = gather(LinearRegression(), table, total(table), feature_names=list(table))
    assert LEAK in titles(found)
    assert text in texts(found)
    assert kind in texts(found)


def test_a_target_with_noise_or_other_weights_is_no_sum():
    table = ledger()
    names, block = list(table), table.to_numpy()
    rng = np.random.default_rng(2)
    noisy = table.labour + table.parts + rng.normal(0, 20, len(table))
    weighted = 1.2 * table.labour + 0.8 * table.parts
    for y in (noisy, weighted, rng.normal(size=len(table))):
        assert formula(block, y.to_numpy() if hasattr(y, "to_numpy") else y, names) is None
    with_gap = block.copy()
    with_gap[3, 0] = np.nan
    assert formula(with_gap, (table.labour + table.parts).to_numpy(), names) is None


def test_advice_does_not_repeat_what_was_done(gather):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 4))
    y = 1e4 * (X[:, 0] + X[:, 1] + 0.1 * rng.standard_normal(120))
    model = ElasticNetCV(alphas=[10.0, 1.0])
    assert "divide it by its standard deviation" in texts(gather(model, X, y))
    divided = TransformedTargetRegressor(model, transformer=StandardScaler())
    said = texts(gather(divided, X, y))
    assert "divide it by its standard deviation" not in said
    assert "In Python, pass alphas that reach further down" in said


def test_a_tie_is_called_one(gather):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    y = X[:, 0] + 0.3 * rng.standard_normal(80)
    models = [("one", LinearRegression()), ("two", LinearRegression()), ("none", Lasso(alpha=5.0))]
    said = result(gather(models, X, y))
    assert "one and two predict equally well and best: " in said
    assert "Next comes none" in said
    said = result(gather(models[:2], X, y))
    assert "one and two predict equally well: " in said
    assert "Next comes" not in said


def test_a_score_next_to_one_has_no_endless_digits(gather):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    y = X @ [1.0, 2.0, 3.0] + 1e-4 * rng.standard_normal(80)
    found = gather([LinearRegression(), Lasso(alpha=1e-4)], X, y, scoring="r2")
    assert {score_text(model.scores[0]) for model in found.models} == {"over 0.9999"}


def test_the_caption_says_whether_errors_or_scores_are_drawn(gather):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    y = X[:, 0] + rng.standard_normal(80)
    from matplotlib.figure import Figure

    captions = []
    for model in (LassoCV(), RidgeCV(cv=4), RidgeCV(cv=4, scoring="neg_mean_absolute_error")):
        (report,) = gather(model, X, y).models
        (sketch,) = _of_cv(report)
        captions.append(sketch.draw(Figure(layout="constrained")))
    starts = ["Error of the rows", "Score, negated so that less is better,", "Error of the rows"]
    assert all(text.startswith(start) for text, start in zip(captions, starts, strict=True))


def test_little_that_is_left_of_a_loss_is_no_under_fitting():
    falling = np.geomspace(1.0, 0.3, 30)
    assert fit_note(falling, 1.1 * falling, None, "epoch").startswith("under-fitting")
    nothing_left = np.geomspace(1.0, 4e-4, 60)
    assert fit_note(nothing_left, 1.1 * nothing_left, None, "epoch") == ""


def test_the_two_indicators_of_one_question_are_no_choice(gather):
    rng = np.random.default_rng(0)
    yes = rng.integers(0, 2, 200).astype(float)
    X = np.column_stack([yes, 1 - yes, rng.standard_normal(200)])
    y = 3 * yes + X[:, 2] + 0.1 * rng.standard_normal(200)
    model = make_pipeline(StandardScaler(), LassoCV())
    assert "collinear" not in titles(gather(model, X, y, feature_names=["yes", "no", "x"]))
    same = np.column_stack([X[:, 2], X[:, 2], yes])
    assert "collinear" in titles(gather(model, same, y, feature_names=["a", "b", "yes"]))
