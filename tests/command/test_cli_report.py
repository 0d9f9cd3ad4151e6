"""`python -m skreg FILE --target NAME --report PAGE`: models, tasks, what it says and refuses."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skreg.command import models
from skreg.command.reading import read_table
from skreg.command.run import main
from skreg.command.table import TableError
from skreg.report import making

RNG = np.random.default_rng(0)
SIZE, COLOUR = RNG.normal(10, 3, 80), RNG.choice(["red", "green", ""], 80)
TARGETS = {
    "price": [
        f"{3 * size + noise:.4f}" for size, noise in zip(SIZE, RNG.normal(size=80), strict=True)
    ],
    "sold": [str(int(size > 10)) for size in SIZE],
    "grade": [str(4 + i % 4) for i in range(80)],
    "kind": ["house" if size > 10 else "flat" for size in SIZE],
    "nearly": [f"{size:.3f}" if i else "dear" for i, size in enumerate(SIZE)],
    "thousands": [f'"{i % 7 + 1},{i + 100}"' for i in range(80)],
    "code": [f"c{i}" for i in range(80)],
    "half": [str(0.5 + int(size > 10)) for size in SIZE],
}


@pytest.fixture
def file(tmp_path):
    """Write a table with a size, a colour and one of the targets."""

    def write(target):
        rows = zip(SIZE, COLOUR, TARGETS[target], strict=True)
        lines = [f"{size:.5f},{colour},{value}" for size, colour, value in rows]
        path = tmp_path / "table.csv"
        path.write_text("\n".join([f"size,colour,{target}", *lines]), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def seen(monkeypatch):
    """Contents of the reports, which are not drawn."""
    found = []
    monkeypatch.setattr(making, "render", lambda contents: found.append(contents) or "page")
    return found


def one_line(err):
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err.strip()


def test_numbers(file, seen, tmp_path, capsys):
    page = tmp_path / "a page.html"
    table = file("price")
    assert main([table, "--target", "price", "--report", str(page)]) == 0
    out, err = capsys.readouterr()
    (contents,) = seen
    assert page.read_text(encoding="utf-8") == "page"
    assert [model.name for model in contents.models] == ["Lasso", "Elastic net", "Ridge"]
    assert all(model.path is not None and model.cv is not None for model in contents.models)
    assert contents.title == "table.csv, target price"
    assert contents.call == f"python -m skreg {table} --target price --report '{page}'"
    assert [column.kind for column in contents.glance.columns] == ["number", "category"]
    assert list(contents.models[0].coefficients.names) == [
        "size",
        "colour=green",
        "colour=missing",
        "colour=red",
    ]
    lines = out.splitlines()
    assert "Lasso scores best: R² 0.9" in lines[0]
    assert lines[-1] == f"saved {page} (0.00 MB)"
    assert "Lasso: fold 5 of 5, " in err
    assert "0x" not in contents.models[0].settings


@pytest.mark.parametrize(
    ("target", "classes"),
    [("kind", ("flat", "house")), ("sold", ("0", "1")), ("half", ("0.5", "1.5"))],
)
def test_classes(file, seen, tmp_path, capsys, target, classes):
    table = file(target)
    assert main([table, "--target", target, "--report", str(tmp_path / "r.html")]) == 0
    (contents,) = seen
    assert contents.glance.task == "classification"
    assert contents.classes == classes
    assert [model.name for model in contents.models] == [
        "Logistic regression, L1",
        "Logistic regression, L2",
        "Network",
    ]
    sparse, dense, network = contents.models
    assert sparse.alpha == sparse.alpha_1se
    assert dense.alpha == dense.alpha_min
    assert (sparse.l1_ratio, dense.l1_ratio) == (1.0, 0.0)
    assert network.is_network
    out = capsys.readouterr().out
    taken = f"note: '{target}' has two values, {classes[0]} and {classes[1]}, which are taken as"
    assert (taken in out) == (target != "kind")


def test_a_task_of_ones_own(file, seen, tmp_path, capsys):
    page = ["--report", str(tmp_path / "r.html"), "--folds", "2"]
    table = [file("grade"), "--target", "grade"]
    assert main([*table, *page, "--model", "lasso"]) == 0
    said = capsys.readouterr().out.splitlines()[0]
    assert said.endswith("taken as numbers; --task classification takes them as classes")
    assert main([*table, *page, "--model", "mlp", "--task", "classification"]) == 0
    assert "note: 'grade'" not in capsys.readouterr().out
    assert main([file("sold"), "--target", "sold", *page, "--task", "regression"]) == 0
    tasks = [contents.glance.task for contents in seen]
    assert tasks == ["regression", "classification", "regression"]
    assert seen[1].classes == ("4", "5", "6", "7")


def test_models_that_are_asked_for(file, seen, tmp_path):
    table, page = file("price"), str(tmp_path / "r.html")
    names = ["--model", "ridge", "mlp", "--model", "ridge"]
    assert main([table, "--target", "price", "--report", page, *names]) == 0
    assert [model.name for model in seen[0].models] == ["Ridge", "Network"]
    assert seen[0].models[1].is_network
    assert seen[0].models[1].scores[0].mean > 0.5


def test_options_reach_the_report(file, seen, tmp_path):
    table, page = file("price"), str(tmp_path / "r.html")
    given = ["--folds", "3", "--seed", "5", "--rule", "1se", "--model", "lasso", "--jobs", "1"]
    assert main([table, "--target", "price", "--report", page, *given]) == 0
    assert (
        main([table, "--target", "price", "--report", page, "--folds", "3", "--model", "lasso"])
        == 0
    )
    assert seen[0].n_folds == 3
    assert seen[0].models[0].alpha == seen[0].models[0].alpha_1se
    assert seen[1].models[0].alpha == seen[1].models[0].alpha_min
    assert not np.array_equal(
        seen[0].models[0].scores[0].values, seen[1].models[0].scores[0].values
    )


def test_without_a_file(seen, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["skreg", "--report", str(tmp_path / "r.html")])
    assert main() == 0
    assert seen[0].glance.n_rows == 442
    assert len(seen[0].models[0].coefficients.names) == 55
    assert seen[0].call == f"python -m skreg --report {tmp_path / 'r.html'}"


@pytest.mark.parametrize(
    ("target", "given", "message"),
    [
        ("nearly", "", "is numeric but for 1 of its 80 cells (such as 'dear'): correct them"),
        ("code", "", "--folds 5: class c0 of y has only 1 row,"),
        ("kind", "--model lasso", "--model lasso does not predict classes"),
        ("price", "--model logistic", "--model logistic does not predict numbers"),
        ("kind", "--task regression", "is text (such as "),
        ("price", "--folds 50", "--folds 50: 80 rows are too few"),
    ],
)
def test_refused_in_one_line(file, tmp_path, capsys, target, given, message):
    page = tmp_path / "r.html"
    table = file(target)
    assert main([table, "--target", target, "--report", str(page), *given.split()]) == 2
    assert message in one_line(capsys.readouterr().err)
    assert not page.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--model lasso", "--model is for a page: add --report"),
        ("--task regression", "--task is about the target of a FILE"),
        ("--report r.html --task regression", "--task is about the target of a FILE"),
        ("--report r.html --no-plots", "--no-plots is not for a page"),
        ("--report r.html --test-size 0.3", "--test-size is not for a page"),
        ("--report r.html --out .", "--out is not for a page"),
        ("--report r.html --model forest", "argument --model: invalid choice: 'forest'"),
    ],
)
def test_options_that_do_not_go_together(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    assert stop.value.code == 2
    assert message in one_line(capsys.readouterr().err)


def test_a_page_that_cannot_be_written(capsys, tmp_path):
    assert main(["--report", str(tmp_path / "no" / "r.html")]) == 2
    assert one_line(capsys.readouterr().err).startswith("skreg: --report: there is no folder")


@pytest.mark.parametrize("way", ["itself", "relative", "symlink", "hard link"])
def test_the_table_is_not_written_over(file, way, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table = file("price")
    before = Path(table).read_bytes()
    page = {"itself": table, "relative": "./table.csv"}.get(way, "page.html")
    if way == "symlink":
        Path(page).symlink_to(table)
    elif way == "hard link":
        os.link(table, page)
    with pytest.raises(SystemExit) as stop:
        main([table, "--target", "price", "--report", page])
    assert stop.value.code == 2
    assert "--report would overwrite" in one_line(capsys.readouterr().err)
    assert Path(table).read_bytes() == before


def test_the_table_is_not_drawn_over(file, tmp_path, capsys):
    table = Path(file("price")).rename(tmp_path / "skreg_cv.png")
    before = table.read_bytes()
    with pytest.raises(SystemExit) as stop:
        main([str(table), "--target", "price", "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert "--out would overwrite" in one_line(capsys.readouterr().err)
    assert main([str(table), "--target", "price", "--out", str(tmp_path), "--no-plots"]) == 0
    assert table.read_bytes() == before


def test_the_page_says_what_reading_left_out(seen, tmp_path):
    path = tmp_path / "table.csv"
    lines = [f"{size:.3f},{i % 5},7,k{i},{3 * size:.2f}" for i, size in enumerate(SIZE)]
    lines[3] = "1o.5,3,7,k3,4.0"
    lines[5:8] = [line.rpartition(",")[0] + "," for line in lines[5:8]]
    path.write_text("\n".join(["size,rooms,same,code,price", *lines]), encoding="utf-8")
    page = ["--report", str(tmp_path / "r.html"), "--model", "ridge"]
    assert main([str(path), "--target", "price", *page]) == 0
    (contents,) = seen
    assert contents.glance.n_rows == 77
    assert contents.glance.notes[:3] == (
        "Left out 3 of 80 rows, which have no 'price'.",
        "Left out for having the same value in every row: 'same'.",
        "Left out for being text that differs in every row: 'code'.",
    )
    first = contents.cautions[0]
    assert (first.title, first.serious) == ("The file may have mistakes", True)
    assert first.text.startswith("'size' is taken as numbers, but 1 of its 80 cells")
    assert first.text.endswith("correct it.")


def test_a_file_without_mistakes(file, seen, tmp_path):
    page = ["--report", str(tmp_path / "r.html"), "--model", "ridge"]
    assert main([file("price"), "--target", "price", *page]) == 0
    assert "The file may have mistakes" not in [each.title for each in seen[0].cautions]
    assert not [note for note in seen[0].glance.notes if "Left out" in note]


@pytest.mark.parametrize(("n", "rare"), [(9, 0), (9, 3), (45, 2)])
def test_a_network_of_few_rows(n, rare, seen, tmp_path):
    path = tmp_path / "table.csv"
    values = ["v"] * rare + ["u"] * (n - rare) if rare else [f"{size:.2f}" for size in SIZE[:n]]
    lines = [f"{size:.3f},{value}" for size, value in zip(SIZE, values, strict=False)]
    path.write_text("\n".join(["size,y", *lines]), encoding="utf-8")
    page = ["--report", str(tmp_path / "r.html"), "--folds", "2"]
    assert main([str(path), "--target", "y", *page, "--model", "mlp"]) == 0
    assert seen[0].models[0].is_network


def test_a_fit_that_fails_names_its_model(file, tmp_path, capsys, monkeypatch):
    def fail(self, X, y):
        raise ValueError("no such luck")

    monkeypatch.setattr("skreg.RidgeCV.fit", fail)
    page = ["--report", str(tmp_path / "r.html"), "--model", "ridge"]
    assert main([file("price"), "--target", "price", *page]) == 2
    said = one_line(capsys.readouterr().err)
    assert said == "skreg: no such luck; Ridge was being fitted, all rows, for the report"


def test_what_is_not_installed(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["--report", str(tmp_path / "r.html")]) == 2
    assert "skreg[report]" in one_line(capsys.readouterr().err)


def test_an_interrupt_leaves_nothing(capsys, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "render", interrupt)
    assert main(["--report", str(tmp_path / "r.html")]) == 130
    assert list(tmp_path.iterdir()) == []


def test_text_is_no_number(file, capsys):
    given = [file("kind"), "--target", "kind", "--task", "regression"]
    assert main(given) == 2
    assert one_line(capsys.readouterr().err).endswith("classes: --task classification")


# What is read


def test_labels(file):
    assert read_table(file("kind"), "kind", "auto").y.dtype.kind == "U"
    assert_array_equal(np.unique(read_table(file("sold"), "sold", "auto").y), [0, 1])
    assert read_table(file("sold"), "sold").task == "regression"
    with pytest.raises(TableError, match="is numeric but for"):
        read_table(file("nearly"), "nearly", "auto")
    assert read_table(file("nearly"), "nearly", "classification").task == "classification"


def test_thousands(file):
    table = read_table(file("thousands"), "thousands", "auto")
    assert_array_equal(table.y[:3], [1100, 2101, 3102])
    assert "'thousands': commas separate thousands (1,100 is 1100)" in table.notes


@pytest.mark.parametrize(
    ("values", "message"), [("aaaa", "is always a"), (["NA"] * 4, "no values")]
)
def test_targets_of_no_use(tmp_path, values, message):
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "\n".join(f"{i},{value}" for i, value in enumerate(values)))
    with pytest.raises(TableError, match=message):
        read_table(path, "y", "classification")


def test_rows_without_a_class_are_left_out(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("x,y\n1,a\n2,\n3,b\n4,a\n")
    table = read_table(path, "y", "auto")
    assert list(table.y) == ["a", "b", "a"]
    assert table.notes == ("left out 1 of 4 rows, which have no 'y'",)


def test_every_model_is_one_that_can_be_asked_for():
    assert all(set(models.USUAL[task]) <= set(models.MODELS[task]) for task in models.MODELS)
