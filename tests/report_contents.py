"""Contents of reports, put together by hand, for the tests of the page."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache

import numpy as np
from sklearn.datasets import load_diabetes, load_iris

from skreg import LassoCV, MLPClassifier, RidgeCV
from skreg.report.contents import (
    Caution,
    Coefficients,
    ColumnSummary,
    Contents,
    CorrelatedGroup,
    Glance,
    ModelReport,
    Score,
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "'; alert(3); //",
    "{{ 7 * 7 }} {% raw %}",
    "</style><style>*{display:none}</style>",
    "-->]]><svg onload=alert(4)>",
    "line\nbreak\ttab",
    "zero\x00, \x1b and \ud800",
    "$x^2$ $\\broken{ & &amp; &lt;",
    "Größe 収入 😀 \u202ereversed",
)


def titles(found, serious=None):
    """Of the cautions of a report, or of those alone that are serious or not."""
    return [one.title for one in found.cautions if serious is None or one.serious == serious]


def caution(found, title):
    """The only one with these words in its title."""
    (one,) = [each for each in found.cautions if title in each.title]
    return one


def score(name, values, greater_is_better=True):
    return Score(name, np.asarray(values, dtype=float), greater_is_better)


@cache
def diabetes(estimator, n_features):
    """A model fitted to the first features of the diabetes data."""
    X, y = load_diabetes(return_X_y=True)
    return fitted(estimator(cv=5), X[:, :n_features], y)


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*the best alpha.*of the grid", UserWarning)
        return model.fit(X, y)


def linear(name, model, X, r2, names):
    """One model's part, with what a skreg estimator that chooses its alpha keeps."""
    other = model.alpha_1se_
    return ModelReport(
        name=name,
        settings=repr(model),
        estimator=model,
        scores=(score("R²", r2), score("mean absolute error", [41, 43.5, 46, 44, 47], False)),
        held_out=model.predict(X),
        seconds=0.1234,
        alpha=float(model.alpha_),
        alpha_min=float(model.alpha_min_),
        alpha_1se=float(other),
        path=model.path_,
        cv=model.cv_result_,
        coefficients=Coefficients(
            np.array(names, dtype=object), model.coef_, model.path_.coef_at(other)
        ),
    )


def baseline(y, values, name="Predicting the mean"):
    held_out = np.full(y.shape, y.mean() if y.dtype.kind == "f" else y[0])
    scores = (score("R²", values), score("mean absolute error", [65, 66, 64, 70, 68], False))
    return ModelReport(name, "DummyRegressor()", None, scores, held_out, 0.001)


def glance(names, n_rows, *, task="regression", target="progression", summary=(("mean", "152"),)):
    columns = tuple(
        ColumnSummary(name, "number", i % 3, n_rows - i, "median 0, from −0.1 to 0.2")
        for i, name in enumerate(names)
    )
    return Glance(
        task=task,
        target=target,
        target_summary=tuple(summary),
        n_rows=n_rows,
        n_columns=len(names),
        columns=columns,
        constant=tuple(names[:1]),
        n_missing=len(names) - 1,
        correlated=(CorrelatedGroup(tuple(names[-3:]), 0.9),) if len(names) > 2 else (),
        correlation_threshold=0.9,
        notes=("Correlations of the first 2,000 columns only.",),
    )


CAUTIONS = (
    Caution("alpha is at the edge of the grid", "The smallest alpha tried is the best.", True),
    Caution("features whose choice is arbitrary", "s1 and s2 are correlated by 0.90."),
)


def contents(models, y, look, **changes):
    """A report about these models."""
    made = Contents(
        title="Disease progression",
        made="21 November 2026, 12:00",
        glance=look,
        y=y,
        models=tuple(models),
        best=0,
        n_folds=5,
        cautions=CAUTIONS,
        versions=(("Python", "3.13.1"), ("skreg", "0.1.0")),
        call="skreg.report(LassoCV(), X, y)",
    )
    return replace(made, **changes)


def regression(names=None, **changes):
    """Two linear models and a baseline on the diabetes data."""
    X, y = load_diabetes(return_X_y=True)
    if names is None:
        names = load_diabetes().feature_names
    X = X[:, : len(names)]
    models = [
        linear("LassoCV", diabetes(LassoCV, len(names)), X, [0.45, 0.52, 0.49, 0.43, 0.55], names),
        linear("RidgeCV", diabetes(RidgeCV, len(names)), X, [0.44, 0.53, 0.47, 0.42, 0.54], names),
    ]
    dummy = baseline(y, [-0.01, -0.03, 0, -0.02, -0.01])
    return contents(models, y, glance(names, len(y)), **{"baseline": dummy, **changes})


def classification(classes=("setosa", "versicolor", "virginica"), **changes):
    """A network on the iris data, and a model that keeps nothing but its predictions."""
    X, y = load_iris(return_X_y=True)
    y = np.array(classes, dtype=object)[y]
    network = MLPClassifier((8,), learning_rate_init=0.05, random_state=0).fit(X, y)
    accuracy = [0.93, 0.97, 0.9, 0.97, 1.0]
    models = [
        ModelReport(
            "MLPClassifier",
            repr(network),
            network,
            (score("accuracy", accuracy),),
            network.predict(X),
            0.8,
            is_network=True,
        ),
        ModelReport(
            "tree",
            "DecisionTreeClassifier()",
            None,
            (score("accuracy", np.array(accuracy) - 0.05),),
            np.roll(y, 3),
            float("nan"),
            left_out=("It has no penalty, so there is no path.",),
        ),
    ]
    summary = [(str(name), "50 rows (33.3%)") for name in classes]
    look = glance(
        load_iris().feature_names, 150, task="classification", target="species", summary=summary
    )
    return contents(models, y, look, **changes)


def long_numbers():
    """Numbers at ticks that have many letters, the last of them near an edge."""
    made = regression(["body mass index", "blood pressure", "age in full years"])
    values = np.array([0.0085, -0.0083, 0.002])
    models = tuple(
        replace(
            model,
            name=name,
            scores=(score("R²", np.array([0.6739, 0.6989, 0.7174, 0.75, 0.8172])),),
            coefficients=replace(
                model.coefficients, values=values * unit, at_1se=None, per="mixed"
            ),
            path=replace(model.path, coefs=model.path.coefs * 1e-5 * unit),
            held_out=model.held_out * unit,
        )
        for model, name, unit in zip(
            made.models, ["LogisticRegressionCV", "large"], [1, 1e7], strict=True
        )
    )
    level = score("R²", [0.6538, 0.6538, 0.6522, 0.6522, 0.6564])
    base = replace(made.baseline, name="Predicting the largest class", scores=(level,))
    return replace(made, models=models, baseline=base)


def long_words():
    """A score, classes and a unit whose names are longer than an axis."""
    made = two_classes()
    (model,) = made.models
    long = score("negated mean of the pinball losses at nine levels", [0.9, 0.85, 0.88, 0.91, 0.9])
    names = np.array([f"a rather long name of feature {j}" for j in range(3)], dtype=object)
    model = replace(
        model,
        name="a model with a name of some length",
        scores=(long,),
        coefficients=Coefficients(names, np.array([2.0, -1.0, 0.5]), per="mixed"),
    )
    other = replace(model, coefficients=replace(model.coefficients, per="input"))
    classes = tuple(f"{word} with more than thirty letters" for word in made.classes)
    return replace(made, models=(model, other), classes=classes, n_folds=5)


def two_classes():
    """A classifier with a probability for each row."""
    rng = np.random.default_rng(0)
    y = np.repeat(["no", "yes"], 100)
    chance = 1 / (1 + np.exp(-rng.normal((y == "yes") * 4 - 2, 1.5)))
    model = ModelReport(
        "forest",
        "RandomForestClassifier()",
        None,
        (score("accuracy", [0.9, 0.85, 0.88, 0.91, 0.9]),),
        np.where(chance > 0.5, "yes", "no"),
        2.0,
        probabilities=np.column_stack([1 - chance, chance]),
    )
    look = glance(["a", "b"], y.size, task="classification", target="answer")
    return contents([model], y, look, classes=("no", "yes"))


@cache
def wide(n_features=5000, n_rows=60):
    """More columns than a page can list, in a dense and in a sparse model."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_features))
    y = X[:, :5].sum(axis=1) + rng.standard_normal(n_rows)
    names = [f"measurement_{i:04d}_of_the_first_series" for i in range(n_features)]
    models = [
        linear("RidgeCV", fitted(RidgeCV(cv=5), X, y), X, [0.3, 0.4, 0.2, 0.5, 0.3], names),
        linear("LassoCV", fitted(LassoCV(cv=5), X, y), X, [0.2, 0.4, 0.1, 0.5, 0.3], names),
    ]
    return contents(models, y, glance(names, n_rows))


def many_classes(n_classes=60):
    """Sixty classes and a linear model with a coefficient for each of them."""
    rng = np.random.default_rng(0)
    y = np.array([f"class {k}" for k in rng.integers(n_classes, size=2000)], dtype=object)
    classes = tuple(np.unique(y))
    names = np.array([f"x{i}" for i in range(12)], dtype=object)
    held_out = np.where(rng.random(y.size) < 0.7, y, rng.permutation(y))
    model = ModelReport(
        "LogisticRegression",
        "LogisticRegression()",
        None,
        (score("accuracy", [0.7, 0.71, 0.69, 0.7, 0.72]),),
        held_out,
        1.0,
        coefficients=Coefficients(
            names, rng.standard_normal((len(classes), 12)), targets=tuple(map(str, classes))
        ),
    )
    summary = [(str(name), "33 rows (1.7%)") for name in classes]
    look = glance(list(names), y.size, task="classification", target="kind", summary=summary)
    return contents([model], y, look)


PAGES = {
    "regression": regression,
    "classification": classification,
    "hostile": lambda: regression(list(HOSTILE), title=HOSTILE[0], call=HOSTILE[1]),
    "hostile classes": lambda: classification(HOSTILE[:3]),
    "wide": wide,
    "many classes": many_classes,
    "long numbers": long_numbers,
    "long words": long_words,
    "names like ids": lambda: regression(["url(#text_1)", 'href="#axes_1"']),
    "one feature": lambda: regression(["bmi"]),
    "two classes": two_classes,
}
