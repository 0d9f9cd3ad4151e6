"""The command on classes: paths, log-losses and scores are those of the estimators."""

import warnings

import numpy as np
import pandas
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline

from skreg import LogisticRegression, LogisticRegressionCV
from skreg.command.class_comparison import compare_classes, log_probabilities
from skreg.command.reading import read_table
from skreg.command.run import main
from skreg.command.table import TableError
from skreg.command.text import format_classes, save_pictures

WINES = np.array(["barolo", "grignolino", "barbera"])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    wines, kinds = load_wine(return_X_y=True, as_frame=True)
    wines.assign(wine=WINES[kinds]).to_csv(folder / "wines.csv", index=False)
    cells, benign = load_breast_cancer(return_X_y=True, as_frame=True)
    cells = cells.iloc[:, :6].assign(cell=np.where(benign, "benign", "malignant"), code=benign)
    cells.iloc[:200].to_csv(folder / "cells.csv", index=False)
    return {"wine": folder / "wines.csv", "cell": folder / "cells.csv"}


@pytest.fixture(scope="module")
def compared(files):
    tables = {target: read_table(file, target, "text") for target, file in files.items()}
    return {target: (table, compare_classes(table, seed=3)) for target, table in tables.items()}


@pytest.mark.parametrize("target", ["wine", "cell"])
@pytest.mark.parametrize(("position", "l1_ratio", "rule"), [(0, 1.0, "1se"), (1, 0.0, "min")])
def test_agrees_with_the_estimator(compared, target, position, l1_ratio, rule):
    table, result = compared[target]
    rows = np.arange(len(table.y))
    train, test = train_test_split(rows, test_size=0.2, random_state=3, stratify=table.y)
    row, y = result.rows[position], table.y[train]
    learned = table.preprocessing.fit(table.X[train])
    X, later = learned.transform(table.X[train]), learned.transform(table.X[test])
    own = LogisticRegression(C=1 / (row.cv.alphas[row.index] * len(y)), l1_ratio=l1_ratio)
    own.fit(X, y)
    assert_allclose(np.atleast_2d(row.path.coefs[..., row.index]), own.coef_, atol=0.02)
    assert_allclose(np.exp(log_probabilities(row.path, later)[:, row.index]),
                    own.predict_proba(later), atol=1e-3)  # fmt: skip
    assert row.test_log_loss == pytest.approx(
        log_loss(table.y[test], own.predict_proba(later)), rel=0.01
    )
    assert row.test_accuracy == accuracy_score(table.y[test], own.predict(later))
    assert row.rule == rule
    assert row.index == row.cv.select(rule)
    # Folds learn their own preprocessing.
    folds = list(StratifiedKFold(5, shuffle=True, random_state=3).split(train, y))
    inside, outside = folds[1]
    fold = make_pipeline(
        table.preprocessing,
        LogisticRegression(C=1 / (row.cv.alphas[row.index] * len(inside)), l1_ratio=l1_ratio),
    ).fit(table.X[train[inside]], y[inside])
    chances = fold.predict_proba(table.X[train[outside]])
    assert row.cv.errors[row.index, 1] == pytest.approx(log_loss(y[outside], chances), rel=0.01)


def test_the_grid_is_the_estimators_own(compared):
    table, result = compared["wine"]
    train, _ = train_test_split(
        np.arange(len(table.y)), test_size=0.2, random_state=3, stratify=table.y
    )
    X = table.preprocessing.fit_transform(table.X[train])
    model = LogisticRegressionCV(alphas=100, l1_ratios=[1.0], cv=2).fit(X, table.y[train])
    assert_allclose(result.rows[0].path.alphas, model.path_.alphas)


@pytest.mark.parametrize("rule", [pytest.param("min", marks=pytest.mark.exhaustive), "1se"])
def test_a_rule_that_is_said_is_for_both(files, rule):
    table = read_table(files["cell"], "cell", "text")
    result = compare_classes(table, rule=rule, n_folds=3)
    assert [row.rule for row in result.rows[:2]] == [rule, rule]
    again = compare_classes(table, rule=rule, n_folds=3, n_jobs=2)
    assert format_classes(again).split("non-zero")[0] == format_classes(result).split("non-zero")[0]
    for row, other in zip(result.rows, again.rows, strict=True):
        assert_array_equal(row.cv.errors, other.cv.errors)
        assert row.test_log_loss == other.test_log_loss


def test_the_text(files, tmp_path, capsys):
    assert main([str(files["wine"]), "--target", "wine", "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("142 rows to fit by 5-fold cross-validation, 36 rows held out for")
    assert lines[2] == "3 classes: barbera, barolo, grignolino"
    names = ["Logistic regression, L1", "Logistic regression, L2", "Network"]
    assert [line.startswith(name) for line, name in zip(lines[5:8], names, strict=True)] == [
        True
    ] * 3
    assert "To say 'grignolino' of every test row has an accuracy of 0.389." in lines
    assert max(map(len, lines[8:])) <= 110
    assert {file.name for file in tmp_path.iterdir()} == {"skreg_path.png", "skreg_cv.png"}


def test_numbers_of_two_values_are_numbers_unless_it_is_said(files, capsys):
    given = [str(files["cell"]), "--target", "code", "--no-plots", "--drop", "cell", "--folds", "2"]
    assert main(given) == 0
    out = capsys.readouterr().out
    assert "ElasticNet" in out
    assert "taken as numbers; --task classification takes them as classes" in out
    assert main([*given, "--task", "classification"]) == 0
    assert "2 classes: 0, 1" in capsys.readouterr().out


def test_many_classes_have_a_picture_of_the_largest(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    y = np.repeat([f"class {k}" for k in range(8)], 12)
    y[:6] = "class 5"
    table = pandas.DataFrame(rng.normal(size=(96, 3)), columns=["a", "b", "c"]).assign(y=y)
    table.to_csv(tmp_path / "t.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there is nothing to learn
        result = compare_classes(read_table(tmp_path / "t.csv", "y", "text"), n_folds=2)
    assert result.largest == "class 5"
    drawn = []
    from skreg.plotting import RegularizationPathDisplay

    plot = RegularizationPathDisplay.plot
    monkeypatch.setattr(
        RegularizationPathDisplay,
        "plot",
        lambda self, **options: drawn.append(plot(self, **options)) or drawn[-1],
    )
    save_pictures(result, tmp_path)
    assert drawn[0].ax_.get_title() == "class 5"


def test_classes_with_too_few_rows(tmp_path):
    y = ["a"] * 30 + ["b"] * 4
    table = pandas.DataFrame({"x": range(34), "y": y})
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(TableError, match="class b has 4 rows, too few for 5 folds and a test"):
        compare_classes(read_table(tmp_path / "t.csv", "y", "text"))


def test_rows_in_order_of_time(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    table = pandas.DataFrame({"t": range(120), "x": x, "y": np.where(x > 0, "up", "down")})
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "t.csv", index=False)
    given = [str(tmp_path / "t.csv"), "--target", "y", "--time", "t", "--no-plots"]
    assert main(given) == 0
    table["y"] = ["up"] * 100 + ["down"] * 20
    table.to_csv(tmp_path / "t.csv", index=False)
    assert main(given) == 2
