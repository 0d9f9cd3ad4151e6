"""The command: what it prints and saves, the tables it reads, one line for whatever is wrong."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.pipeline import make_pipeline

import skreg
from skreg.command import comparison
from skreg.command.comparison import Paths, compare
from skreg.command.reading import read_table
from skreg.command.run import main
from skreg.command.table import diabetes
from skreg.command.text import format_comparison
from skreg.linear import Lasso, Ridge
from skreg.report.evaluation import evaluate
from skreg.report.scores import Metric

COLOURS = np.array(["red", "green", "blue", ""])


def write_csv(folder, text, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


def mixed_rows(n_samples=60, seed=0):
    """Rows of a table with gaps in its numbers, its categories and its target."""
    rng = np.random.default_rng(seed)
    size, weight = rng.normal(10, 3, n_samples), rng.exponential(2, n_samples)
    colour = rng.integers(0, len(COLOURS), n_samples)
    price = 3 * size + 5 * (colour == 0) + rng.normal(size=n_samples)
    rows = [
        [f"{size[i]:.6f}", f"{weight[i]:.6f}", COLOURS[colour[i]], f"{price[i]:.6f}"]
        for i in range(n_samples)
    ]
    for i in range(0, n_samples, 7):
        rows[i][1] = "NA"
    rows[5][3] = ""
    return [["size", "weight", "colour", "price"], *rows]


@pytest.fixture
def mixed(tmp_path):
    return write_csv(tmp_path, "\n".join(",".join(row) for row in mixed_rows()))


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "skreg", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


# What it prints and saves


def test_letters_that_the_pictures_have_no_font_for(tmp_path, capfd):
    rng = np.random.default_rng(0)
    rows = [",".join(map(str, row)) for row in rng.normal(size=(40, 3)).round(3)]
    path = write_csv(tmp_path, "\n".join(["面积,😀 mood,价格", *rows]))
    assert main([str(path), "--target", "价格", "--out", str(tmp_path)]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.count("Glyph") == 0
    assert out.count("note: the font of the pictures") == 1


def test_the_main_job(tmp_path):
    done = run("--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "diabetes with its pairwise interactions"
    header = next(line for line in lines if line.startswith("model"))
    assert header.split("  ")[0] == "model"
    for column in ("alpha", "alpha_1se", "non-zero", "CV error ± s.e.", "test R²", "time"):
        assert column in header
    models = [line for line in lines if line.startswith(("Lasso  ", "ElasticNet, ", "Ridge  "))]
    assert len(models) == 3
    assert all("of 55" in line for line in models)
    for name in ("skreg_path.png", "skreg_cv.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        assert f"saved {tmp_path / name}" in lines


def test_a_table_of_ones_own(mixed, tmp_path, capsys):
    assert main([str(mixed), "--target", "price", "--out", str(tmp_path / "new" / "folder")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "note: left out 1 of 60 rows, which have no 'price'" in out
    assert "table.csv, target price" in out
    assert "Lasso keeps, largest first: size" in out
    assert (tmp_path / "new" / "folder" / "skreg_cv.png").is_file()


def test_no_plots(mixed, tmp_path, capsys):
    folder = tmp_path / "none"
    assert main([str(mixed), "--target", "price", "--no-plots", "--out", str(folder)]) == 0
    assert "saved" not in capsys.readouterr().out
    assert not folder.exists()


def test_without_matplotlib_the_table_is_printed(mixed, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main([str(mixed), "--target", "price"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "Ridge" in out
    assert out.splitlines()[-1].endswith("python -m pip install matplotlib")


def test_a_terminal_without_the_characters(tmp_path):
    file = write_csv(tmp_path, "größe,y\n" + "\n".join(f"{i},{i % 7}" for i in range(40)))
    done = run(file, "--target", "y", "--no-plots", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "CV error" in done.stdout


def test_warnings_become_notes(mixed, capsys, monkeypatch):
    def warn(*args, **kwargs):
        import warnings

        warnings.warn("the fit is rough", stacklevel=1)
        return compare(*args, **kwargs)

    monkeypatch.setattr("skreg.command.run.compare", warn)
    assert main([str(mixed), "--target", "price", "--no-plots"]) == 0
    out, err = capsys.readouterr()
    assert "note: the fit is rough" in out
    assert err == ""


def test_an_interrupt_is_no_traceback(capsys, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("skreg.command.run.compare", interrupt)
    assert main([]) == 130
    assert capsys.readouterr().err == "skreg: interrupted\n"


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"skreg {skreg.__version__}\n"


def test_a_folder_that_cannot_be_written(mixed, capsys):
    assert main([str(mixed), "--target", "price", "--out", str(mixed)]) == 2
    out, err = capsys.readouterr()
    assert "Ridge" in out  # the table is not lost
    assert one_line(err).startswith("skreg: no picture can be saved in ")


# What is compared, and how honestly


@pytest.fixture
def mixed_table(mixed):
    return read_table(mixed, "price")


@pytest.mark.parametrize("rule", ["min", "1se"])
def test_rule(rule):
    result = compare(diabetes(), rule=rule)
    for row in result.rows:
        assert row.index == row.cv.select(rule)
        assert row.cv.alpha_1se >= row.cv.alpha_min
        assert_array_equal(row.path.alphas, row.cv.alphas)
    assert f"{result.rows[0].cv.alpha_1se:.4g}" in format_comparison(result)


def test_options_reach_the_comparison(mixed, monkeypatch):
    seen = {}

    def spy(table, **options):
        seen.update(options)
        return compare(table, **options)

    monkeypatch.setattr("skreg.command.run.compare", spy)
    given = "--folds 3 --rule 1se --test-size 0.3 --seed 5 --jobs 2 --no-plots --target price"
    assert main([str(mixed), *given.split()]) == 0
    assert seen == {"n_folds": 3, "rule": "1se", "test_size": 0.3, "seed": 5, "n_jobs": 2}


def test_seed_and_jobs(mixed_table):
    one = compare(mixed_table, seed=1)
    again = compare(mixed_table, seed=1, n_jobs=2)
    other = compare(mixed_table, seed=2)
    assert_array_equal(one.rows[0].cv.errors, again.rows[0].cv.errors)
    assert one.rows[0].test_r2 == again.rows[0].test_r2
    assert one.rows[0].test_r2 != other.rows[0].test_r2


@pytest.mark.parametrize(("position", "estimator"), [(0, Lasso(tol=1e-10)), (2, Ridge())])
def test_agrees_with_a_grid_search_over_the_whole_pipeline(mixed_table, position, estimator):
    """GridSearchCV refits preprocessing and model in every fold: nothing can leak there."""
    table = mixed_table
    row = compare(table, n_folds=4, test_size=0.25, seed=3).rows[position]
    train, test = train_test_split(np.arange(len(table.y)), test_size=0.25, random_state=3)
    target = table.y / np.std(table.y[train])
    step = type(estimator).__name__.lower()
    some = np.arange(0, len(row.cv.alphas), 11)
    search = GridSearchCV(
        make_pipeline(table.preprocessing, estimator),
        {f"{step}__alpha": row.cv.alphas[some]},
        cv=KFold(4, shuffle=True, random_state=3),
        scoring="neg_mean_squared_error",
    ).fit(table.X[train], target[train])
    folds = [-search.cv_results_[f"split{k}_test_score"] for k in range(4)]
    errors = np.column_stack(folds) * np.var(table.y[train])
    assert_allclose(row.cv.errors[some], errors, rtol=2e-4)

    chosen = make_pipeline(table.preprocessing, estimator)
    chosen.set_params(**{f"{step}__alpha": row.cv.alphas[row.index]})
    score = chosen.fit(table.X[train], target[train]).score(table.X[test], target[test])
    assert_allclose(row.test_r2, score, rtol=1e-4)


def test_held_out_rows_are_not_learned_from(mixed_table):
    train, test = np.arange(40), np.arange(40, 55)
    changed = mixed_table.X.copy()
    changed[test] = [1e6, 1e6, "purple"]
    preprocessing = mixed_table.preprocessing
    fitted = {}
    for name, X in (("before", mixed_table.X), ("after", changed)):
        seen = Metric("model", True, lambda held: held.model[0])
        model = make_pipeline(preprocessing, Paths([Ridge()], [None]))
        ((fit,),) = evaluate([("", model, {"": (train, test)})], X, mixed_table.y, [seen])
        fitted[name] = fit.values[0]
    before, after = (one.transform(mixed_table.X[train]) for one in fitted.values())
    assert_array_equal(before, after)
    assert "colour=purple" not in mixed_table.feature_names(fitted["after"])
    columns = fitted["after"]["columntransformer"]
    medians = columns.named_transformers_["numbers"].statistics_
    assert_array_equal(medians, np.nanmedian(mixed_table.X[train, :2].astype(float), axis=0))


def test_test_rows_take_no_part_in_the_fit(mixed_table):
    _, test = train_test_split(np.arange(len(mixed_table.y)), test_size=12, random_state=0)
    changed = mixed_table.X.copy()
    changed[test] = [1e3, -1e3, "purple"]
    before, after = compare(mixed_table), compare(replace(mixed_table, X=changed))
    assert before.n_test == 12
    for old, new in zip(before.rows, after.rows, strict=True):
        assert_array_equal(old.cv.errors, new.cv.errors)
        assert_array_equal(old.path.coefs, new.path.coefs)
        assert old.test_r2 > new.test_r2


def test_the_unit_of_the_target_changes_nothing_but_the_error(mixed_table):
    one, thousand = compare(mixed_table), compare(replace(mixed_table, y=1000 * mixed_table.y))
    for a, b in zip(one.rows, thousand.rows, strict=True):
        assert (a.name, a.index) == (b.name, b.index)
        assert_allclose(a.path.alphas, b.path.alphas)
        assert_allclose(a.cv.errors * 1e6, b.cv.errors, rtol=1e-6)


def test_one_value_in_all_training_rows(tmp_path, capsys):
    rows = "\n".join(f"{i},{int(i == 3)}" for i in range(40))
    file = write_csv(tmp_path, f"x,y\n{rows}\n")
    arguments = [str(file), "--target", "y", "--no-plots", "--seed"]
    codes = [main([*arguments, str(seed)]) for seed in range(12)]
    assert set(codes) == {0, 2}
    assert "skreg: the target has one value in all training rows" in capsys.readouterr().err


def test_elastic_net_takes_its_best_l1_ratio(mixed_table, monkeypatch):
    best = compare(mixed_table).rows[1]
    smallest = []
    for ratio in comparison.L1_RATIOS:
        monkeypatch.setattr(comparison, "L1_RATIOS", (ratio,))
        smallest.append(compare(mixed_table).rows[1].cv.mean.min())
    assert best.cv.mean.min() == min(smallest)


def test_a_best_alpha_on_the_edge_is_said(mixed_table):
    result = compare(mixed_table)
    row = result.rows[0]
    errors = np.linspace(2, 1, len(row.cv.alphas))[:, np.newaxis] + np.array([0.0, 0.1])
    rising = replace(row, cv=replace(row.cv, errors=errors, fold_weights=np.ones(2)))
    text = format_comparison(replace(result, rows=(rising, *result.rows[1:])))
    assert "note: Lasso does best at the smallest alpha tried" in text


def test_no_feature_kept(tmp_path):
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{a},{b}" for a, b in rng.normal(size=(60, 2)))
    result = compare(read_table(write_csv(tmp_path, f"x,y\n{rows}"), "y"), rule="1se")
    assert "Lasso keeps no feature: it predicts the mean." in format_comparison(result)


# What it reads


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_delimiters(tmp_path, mixed_table, delimiter, newline):
    text = newline.join(delimiter.join(row) for row in mixed_rows())
    table = read_table(write_csv(tmp_path, text, "other.txt"), "price")
    assert table.columns == ("size", "weight", "colour")
    assert_array_equal(table.y, mixed_table.y)
    assert list(map(str, table.X.ravel())) == list(map(str, mixed_table.X.ravel()))


def test_byte_order_mark_blank_lines_and_quotes(tmp_path):
    text = '\ufeff"a, b" , y\n\n1,2\n"3",\t4\n\n"5",6\n'
    table = read_table(write_csv(tmp_path, text), "y")
    assert table.columns == ("a, b",)
    assert_array_equal(table.X.astype(float), [[1], [3], [5]])
    assert_array_equal(table.y, [2, 4, 6])


def test_decimal_commas(tmp_path):
    table = read_table(write_csv(tmp_path, "a;y\n1,5;2\n-0,25;3,5\n;4\n"), "y")
    assert_array_equal(table.X.astype(float), [[1.5], [-0.25], [np.nan]])
    assert_array_equal(table.y, [2, 3.5, 4])


def test_missing_values(tmp_path):
    words = ["", "NA", "n/a", "NaN", "null", "None", "?"]
    rows = "\n".join(f"{word},{word},{i}" for i, word in enumerate(words))
    table = read_table(write_csv(tmp_path, f"a,b,y\n1,x,9\n2,x,8\n3,z,8\n{rows}\n"), "y")
    assert np.isnan(table.X[3:, 0].astype(float)).all()
    assert table.X[3:, 1].tolist() == [None] * len(words)
    names = table.feature_names(table.preprocessing.fit(table.X))
    assert list(names) == ["a", "b=missing", "b=x", "b=z"]


def test_what_can_say_nothing_is_left_out(tmp_path):
    rows = "\n".join(f"{i},id{i},3,,{i % 5},3,{i % 3}" for i in range(30))
    table = read_table(write_csv(tmp_path, f",id,constant,empty,x,same,y\n{rows}\n"), "y")
    assert table.columns == ("x",)
    assert table.notes == (
        "left out for having no name, as row numbers do: 'column 1'",
        "left out for being text that differs in every row: 'id'",
        "left out for having the same value in every row: 'constant', 'same'",
        "left out for having no values: 'empty'",
    )


def test_many_categories_are_pooled(tmp_path):
    rng = np.random.default_rng(0)
    towns = rng.integers(0, 200, 400)
    rows = "\n".join(f"t{town},{town % 9}" for town in towns)
    table = read_table(write_csv(tmp_path, f"town,y\n{rows}\n"), "y")
    names = table.feature_names(table.preprocessing.fit(table.X))
    assert len(names) == 50
    assert "town=other" in names
    compare(table)  # folds see categories that their training rows lack, and say nothing


def test_feature_names_are_readable():
    table = diabetes()
    names = table.feature_names(table.preprocessing.fit(table.X))
    assert len(names) == 55
    assert {"bmi", "bmi x bp"} <= set(names)
    assert_allclose(table.preprocessing.transform(table.X).std(axis=0), 1)


# What it refuses: one line that says what to do, exit code 2, no traceback


def one_line(err):
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert "Traceback" not in err
    return err.strip()


XY = "x,y\n" + "\n".join(f"{i},{i * i % 11}" for i in range(30)) + "\n"
BAD_TABLES = {
    "empty": ("", "y", "table.csv is empty: it needs a header line and rows below it"),
    "blank": ("\n \n", "y", "table.csv is empty"),
    "separator only": ("sep=,\n\n", "y", "table.csv is empty: it needs a header line and rows"),
    "comments only": ("# x\n", "y", "table.csv has comments and no rows: add the data below"),
    "header only": ("x,y\n", "y", "table.csv has a header and no rows"),
    "ragged, short": (XY + "1\n", "y", "table.csv, line 32: 1 field where the header has 2"),
    "ragged, long": ("x,y\n1,2\n\n3,4,5\n", "y", "line 4: 3 fields where the header has 2"),
    "all long": ("x,y\n1,2,3,4\n5,6,7,8\n", "y", "line 2: 4 fields where the header has 2"),
    "unknown target": (XY, "z", "table.csv has no column 'z'; it has 'x', 'y'"),
    "near target": ("Price,x\n1,2\n", "price", "did you mean 'Price'?"),
    "text target": ("x,y,z\n1,2,red\n", "z", "'z' of table.csv is always red: choose another"),
    "few of a class": (
        "x,y\n" + 6 * "1,a\n2,a\n" + "1,b\n",
        "y",
        "class b has 1 row, too few for 5 folds and a test",
    ),
    "constant target": ("x,y\n1,2\n2,2\n", "y", "'y' of table.csv is always 2"),
    "target without values": ("x,y\n1,\n2,NA\n", "y", "'y' of table.csv has no values"),
    "no feature": ("y\n1\n2\n3\n", "y", "no usable feature beside 'y': it is the only column"),
    "useless features": (
        "x,y\n1,1\n1,2\n",
        "y",
        "no usable feature beside 'y': left out for having the same",
    ),
    "twice": ("x,y,x\n1,2,3\n", "y", "more than one column named 'x'"),
    "too few": ("x,y\n1,2\n3,4\n5,7\n", "y", "3 rows are too few"),
    "thousands": (
        'x,y\n1,2\n3,4\n5,"1,234"\n',
        "y",
        "'1,234' in column 'y' of table.csv can be read as 1234 (--thousands ,) or as 1.234",
    ),
    "decimal commas": ("x;y\n1;1,25\n3;abc\n5;1,5\n", "y", "is text (such as 'abc')"),
    "stray": (
        XY.replace("3,9", "3,9o"),
        "y",
        "is text (such as '9o'), not numbers; correct them or say --missing '9o'",
    ),
    "dates": (
        "x,y\n1,2020-01-02\n2,2020-01-03\n",
        "y",
        "'y' of table.csv holds dates: choose a column of numbers or classes",
    ),
    "open quote": (XY + '"5,6\n7,8\n', "y", "table.csv, line 32: a quotation mark is left open"),
    "lone quote": (XY + '"\n', "y", "table.csv, line 32: a quotation mark is left open"),
    "rows in a quote": (
        "x,z,y\n" + 30 * "1,2,3\n" + '"5,6,7\n7,8,9\n7,8,"9"\n',
        "y",
        "table.csv, lines 32 to 34: 1 field where the header has 3",
    ),
    "open quote, long": (
        XY + '"5,6\n' + "7,8\n" * 40_000,
        "y",
        "table.csv, line 32: field larger than",
    ),
    "infinite": ("x,y\n1,2\n-inf,3\n", "y", "line 3: 'x' is infinite or too large"),
    "infinite, two lines": ('x,t,y\n1,"a\n\nb",inf\n', "y", "lines 2 to 4: 'y' is infinite"),
    "huge": ("x,y\n1,2\n\n1,2e200\n", "y", "line 4: 'y' is infinite or too large"),
    "binary": (bytes(range(256)), "y", "table.csv is not UTF-8 text (byte 129)"),
    "nul bytes": ("x,y\n1,\0\n", "y", "table.csv is not a text file"),
    "utf-16": ("x,y\n1,2\n".encode("utf-16"), "y", "is not UTF-8 text (byte 1): export it"),
    "long field": (
        "x,y\n" + "1" * 200_000 + ",2\n",
        "y",
        "table.csv: field larger than",
    ),
}


@pytest.mark.parametrize(("content", "target", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_tables(content, target, message, tmp_path, capsys):
    file = write_csv(tmp_path, content)
    assert main([str(file), "--target", target]) == 2
    out, err = capsys.readouterr()
    assert one_line(err).startswith("skreg: ")
    assert message in err
    assert out == "" or message.endswith("too few")


@pytest.mark.parametrize("cell", ["12,5", "n/a?"])
def test_a_numeric_column_with_a_stray_cell_says_so(cell, tmp_path, capsys):
    rows = mixed_rows()
    rows[3][0] = f'"{cell}"'
    rows[9][1] = "NA"
    file = write_csv(tmp_path, "\n".join(",".join(row) for row in rows))
    assert main([str(file), "--target", "price", "--no-plots"]) == 0
    err = one_line(capsys.readouterr().err)
    assert err == (
        "note: 'size' is taken as numbers, but 1 of its 60 cells is not a number"
        f" (such as {cell!r} in line 4) and taken as missing: correct it."
    )
    assert np.isnan(read_table(file, "price").X[2, 0])


def test_a_column_of_few_numbers_with_a_stray_cell_says_so(tmp_path, capsys):
    rows = [[str(k % 5), str(k * k % 11)] for k in range(60)]
    rows[3][0] = "l"
    file = write_csv(tmp_path, "\n".join(",".join(row) for row in [["stars", "y"], *rows]))
    assert main([str(file), "--target", "y", "--no-plots"]) == 0
    err = one_line(capsys.readouterr().err)
    assert err.startswith(
        "note: 'stars' is taken as text: 1 of its 60 cells is not a number like the others"
        " (such as 'l' in line 5)"
    )
    assert err.endswith("leave it blank to have a numeric column.")


def test_categories_are_no_mistake(mixed, capsys):
    assert main([str(mixed), "--target", "price", "--no-plots"]) == 0
    assert capsys.readouterr().err == ""


def test_a_missing_file(mixed, capsys):
    assert main([str(mixed.parent / "tabel.csv"), "--target", "price"]) == 2
    assert one_line(capsys.readouterr().err).endswith("did you mean 'table.csv'?")
    assert main([str(mixed.parent / "nowhere" / "a.csv"), "--target", "price"]) == 2
    assert one_line(capsys.readouterr().err).endswith("check the path")


def test_a_folder(tmp_path, capsys):
    assert main([str(tmp_path), "--target", "y"]) == 2
    assert "is a folder: name a file in it" in one_line(capsys.readouterr().err)


def test_a_missing_target(mixed, capsys):
    assert main([str(mixed)]) == 2
    err = one_line(capsys.readouterr().err)
    assert err.endswith("to predict: --target with 'size', 'weight', 'colour', 'price'")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--folds 1", "argument --folds: 1 is below 2"),
        ("--folds two", "argument --folds: invalid integer value: 'two'"),
        ("--test-size 1", "argument --test-size: 1 is not between 0 and 1"),
        ("--test-size nan", "argument --test-size: nan is not between 0 and 1"),
        ("--jobs 0", "argument --jobs: 0 jobs do nothing"),
        ("--seed -1", "argument --seed: -1 is below 0"),
        ("--rule best", "argument --rule: invalid choice: 'best'"),
        ("--target y", "--target names a column of a FILE"),
        ("--nonsense", "unrecognized arguments: --nonsense"),
    ],
)
def test_bad_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments.split())
    assert stop.value.code == 2
    assert message in one_line(capsys.readouterr().err)


def test_too_many_folds(capsys):
    assert main(["--folds", "300"]) == 2
    assert "442 rows are too few" in one_line(capsys.readouterr().err)


@pytest.mark.exhaustive
@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_who_reads_may_stop_reading(tmp_path):
    command = [sys.executable, "-m", "skreg", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_refusal_as_a_process(tmp_path):
    done = run(tmp_path / "none.csv", "--target", "y")
    assert done.returncode == 2
    assert done.stdout == ""
    assert one_line(done.stderr).startswith("skreg: there is no file ")
