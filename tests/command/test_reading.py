"""Files like those that people have, read column by column, and what is asked where it must be."""

import builtins
import sys

import numpy as np
import pytest
from messy_files import FILES
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skreg import Ridge
from skreg.command.comparison import compare
from skreg.command.models import usual_models
from skreg.command.reading import ReadingOptions, read_table
from skreg.command.reading.file import read_cells
from skreg.command.reading.kinds import decide
from skreg.command.reading.options import LEFT_TO_THE_FILE
from skreg.command.run import main
from skreg.command.table import LaterClasses, LaterRows, TableError, time_folds
from skreg.report import making

N = 40


def write(folder, text, encoding="utf-8"):
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def column(cells, folder, delimiter=";", other=None, **options):
    """One column of a file, beside another one that tells nothing, or what `other` has."""
    other = other or ["7"] * len(cells)
    lines = [f"x{delimiter}y", *(f"{a}{delimiter}{b}" for a, b in zip(cells, other, strict=True))]
    told = ReadingOptions(**options)
    try:
        columns = decide(read_cells(write(folder, "\n".join(lines)), told), told)
    except TableError as question:
        return None, [str(question)]
    return columns[0], []


def check(values, right):
    right = np.asarray(right)
    if right.dtype.kind == "M":
        assert values.dtype.kind == "M"
        assert_array_equal(values, right.astype("datetime64[s]"))
    elif right.dtype.kind == "f":
        assert values.dtype.kind == "f"
        assert_allclose(values, right, rtol=1e-12)
    else:
        assert values.dtype == object
        assert list(values) == list(right)


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_every_column_of_a_messy_file_is_read_right(make, tmp_path):
    messy = make()
    cells = read_cells(write(tmp_path, messy.text), ReadingOptions())
    columns = decide(cells, ReadingOptions(), messy.target)
    right = {**messy.columns, messy.target: messy.y}
    assert {each.name for each in columns} == set(right)
    for each in columns:
        check(each.values, right[each.name])


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_every_messy_file_can_be_compared(make, tmp_path, capsys):
    messy = make()
    path = write(tmp_path, messy.text)
    assert main([str(path), "--target", messy.target, "--no-plots", "--folds", "2"]) == 0
    said = capsys.readouterr().out
    assert ("log-loss" if messy.target == "outcome" else "CV error") in said


# Numbers


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (["25,649.5", "1,000", "12"], [25649.5, 1000, 12]),
        (["1.234.567", "12"], [1234567, 12]),
        (["2,39,554", "12,345", "1,00,00,000"], [239554, 12345, 10_000_000]),
        (["1 234,5", "-7,25"], [1234.5, -7.25]),
        (["1\u00a0234", "1\u202f234\u202f567"], [1234, 1234567]),
        (["1'234.5", "1’234"], [1234.5, 1234]),
        (["$5,720", "$12", "731"], [5720, 12, 731]),
        (["5.720,00 €", "-3,5 €"], [5720, -3.5]),
        (["EUR 1.5", "EUR -2"], [1.5, -2]),
        (["52.88%", "7 %"], [52.88, 7]),
        (["(1,200)", "1,300.5"], [-1200, 1300.5]),
        (["$(1,200)", "-$3.5"], [-1200, -3.5]),
        (["12 km", "3.5 km"], [12, 3.5]),
        (["36 months", "60 months"], [36, 60]),
        (["120 m²", "85 m²"], [120, 85]),
        (["\u22124.5", "\u20133"], [-4.5, -3]),
        (["1.200,50-", "7"], [-1200.5, 7]),
        (["1e5", "2.5E-3"], [1e5, 2.5e-3]),
        (["1_000", "12"], [1000, 12]),
        ([".5", "5."], [0.5, 5]),
        (["+7", "1.25"], [7, 1.25]),
        (["0.123", "1.234"], [0.123, 1.234]),  # no separator of thousands comes after 0
        (["1234.567", "1.234"], [1234.567, 1.234]),
        (["12 km", "-", "3 km"], [12, np.nan, 3]),
        (["1.2K", "3.4M", "731"], [1200, 3.4e6, 731]),
        (["$1.5M", "$800K"], [1.5e6, 8e5]),
    ],
)
def test_numbers_written_for_people(cells, right, tmp_path):
    found, questions = column(cells, tmp_path)
    assert not questions
    check(found.values, np.array(right, dtype=float))


@pytest.mark.parametrize(
    "cells", [["<0.5", "0.7"], ["$7", "€7"], ["12 km", "800 m"]], ids=["limits", "money", "units"]
)
def test_text_that_would_be_numbers_is_cautioned(cells, tmp_path):
    many = [cell.replace("7", f"{k}7") for k in range(1, 30) for cell in cells]
    many = [cell.replace("12", f"{k}12") for k, cell in enumerate(many, start=1)]
    found, _ = column(many, tmp_path)
    assert found.kind == "category"
    path = write(tmp_path, "x,y\n" + "\n".join(f"{c},{k % 7}" for k, c in enumerate(many * 2)))
    (caution,) = read_table(path, "y").cautions
    assert caution.title == "The file may have mistakes"
    assert "cells are not a number like the others (such as" in caution.text


@pytest.mark.parametrize(
    "cells",
    [
        ["12 km", "800 m"],
        ["$5", "€7"],
        ["t12", "t13"],
        ["12 (300)", "7 (100)"],
        ["1,23,4", "12"],
        ["1.2.3", "1.2.4"],
        ["10:75", "1"],
        ["--5", "a"],
    ],
)
def test_what_is_no_number_stays_text(cells, tmp_path):
    found, questions = column(cells * 6, tmp_path)
    assert not questions
    assert found.kind == "category"
    assert list(found.values) == cells * 6


@pytest.mark.parametrize("cells", [["4.706", "731"], ["1,234", "56"], ["-1.234", "5.678"]])
def test_two_readings_are_asked_about(cells, tmp_path, capsys):
    _, (question,) = column(cells, tmp_path)
    assert question.startswith(f"{cells[0]!r} in column 'x'")
    path = write(tmp_path, "x;y\n" + "\n".join(f"{cells[k % 2]};{k}" for k in range(N)))
    assert main([str(path), "--target", "y"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    for option in ("--decimal", "--thousands"):
        sign = err.partition(f"({option} ")[2][0]
        decimal = sign if option == "--decimal" else {",": ".", ".": ","}[sign]
        found, asked = column(cells, tmp_path, decimal=decimal)
        assert not asked
        assert f"{found.values[0]:.15g} ({option} {sign})" in err


@pytest.mark.parametrize(
    ("other", "right"), [("3,5", 4706), ("3.5", 4.706), ("1.234.567", 4706), ("1,234.5", 4.706)]
)
def test_other_columns_tell_the_decimal_sign(other, right, tmp_path):
    found, questions = column(["4.706", "731"], tmp_path, other=[other, other])
    assert not questions
    assert_allclose(found.values, [right, 731])
    _, questions = column(["4.706", "3,5"], tmp_path, other=["0.5", "0.25"])
    assert not questions  # each column has a reading of its own


def test_where_commas_separate_fields_a_fraction_of_three_digits_is_one(tmp_path):
    found, questions = column(["4.706", "12.125"], tmp_path, delimiter=",")
    assert not questions
    assert_allclose(found.values, [4.706, 12.125])
    assert "points are decimal signs" in found.readings[0].notes[0]
    assert column(["4.706", "731"], tmp_path, delimiter=",")[1]
    assert column(['"4,706"', "731"], tmp_path, delimiter=",")[1]


def test_dollars_before_a_comma_are_thousands(tmp_path):
    found, questions = column(["$5,720", "$731"], tmp_path)
    assert not questions
    assert_allclose(found.values, [5720, 731])
    assert column(["$5.720", "$731"], tmp_path)[1]


# Missing values and mistakes


@pytest.mark.parametrize("code", ["-", "**", "?", "n/a", ".", "--", "k.A.", "refused", "#DIV/0!"])
@pytest.mark.parametrize("share", [0.05, 0.6])
def test_a_code_among_numbers_is_a_missing_value(code, share, tmp_path):
    cells = [code if k < share * N else f"{k * 1.5}" for k in range(N)]
    found, _ = column(cells, tmp_path)
    assert found.kind == "number"
    assert found.missing == {code: int(np.isnan(found.values).sum())}
    path = write(tmp_path, "y,x\n" + "\n".join(f"{cell},{k % 9}" for k, cell in enumerate(cells)))
    for task in ("regression", "auto"):
        table = read_table(path, "y", task)
        assert table.task == "regression"
        assert len(table.y) == N - found.missing[code]
        assert any(f"taken as missing: {code!r}" in note for note in table.notes)


def test_an_unknown_word_that_is_repeated_among_many_numbers_is_a_code(tmp_path):
    cells = [str(k) for k in range(N)]
    found, _ = column([*cells, "trace", "trace"], tmp_path)
    assert found.missing == {"trace": 2}
    found, _ = column([*cells, "trace"], tmp_path)
    assert (found.kind, found.stray) == ("number", (N,))
    assert np.isnan(found.values[N])


@pytest.mark.parametrize("words", [["3+"], ["G"], ["studio", "loft"]])
def test_a_word_among_few_numbers_is_a_category(words, tmp_path):
    cells = ["0", "1", "2", *words] * 8
    found, _ = column(cells, tmp_path)
    assert found.kind == "category"
    assert list(found.values) == cells


def test_a_dash_is_no_category_but_beside_a_plus(tmp_path):
    found, _ = column(["red", "blue", "-"] * 5, tmp_path)
    assert list(found.values[:3]) == ["red", "blue", None]
    found, _ = column(["+", "-"] * 5, tmp_path)
    assert list(found.values[:2]) == ["+", "-"]


def test_what_the_user_calls_missing(tmp_path):
    cells = ["-999", "-999.0", "1.5", "99", "2.5"]
    found, _ = column(cells, tmp_path, missing=("-999", "x=99"))
    assert_allclose(found.values, [np.nan, np.nan, 1.5, np.nan, 2.5])
    assert found.missing == {"-999": 1, "-999.0": 1, "99": 1}
    found, _ = column(cells, tmp_path, missing=("y=99",))
    assert_allclose(found.values[3], 99)


# Dates, times, codes


@pytest.mark.parametrize(
    ("cell", "right"),
    [
        ("2024-03-07", "2024-03-07"),
        ("2024/3/7", "2024-03-07"),
        ("20240307", "2024-03-07"),
        ("7.3.2024", "2024-03-07"),
        ("07.03.24", "2024-03-07"),
        ("27/03/2024", "2024-03-27"),
        ("03/27/2024", "2024-03-27"),
        ("27-03-99", "1999-03-27"),
        ("7 Mar 2024", "2024-03-07"),
        ("7. März 2024", "2024-03-07"),
        ("07-Mar-24", "2024-03-07"),
        ("March 7, 2024", "2024-03-07"),
        ("Mar 2024", "2024-03-01"),
        ("2024-03", "2024-03-01"),
        ("2024-03-07T13:05:09.5Z", "2024-03-07T13:05:09"),
        ("2024-03-07 13:05", "2024-03-07T13:05"),
        ("3/27/2024 1:05 PM", "2024-03-27T13:05"),
        ("2024-03-07T13:05:09+02:00", "2024-03-07T13:05:09"),
    ],
)
def test_dates(cell, right, tmp_path):
    found, questions = column([cell, "n/a", cell], tmp_path)
    assert not questions
    assert found.kind == "date"
    check(found.values, np.array([right, "NaT", right], dtype="datetime64[s]"))


def test_dates_in_several_forms_or_mistyped(tmp_path):
    found, questions = column(["2024-01-05", "6.1.2024", "7 Jan 2024"], tmp_path)
    assert not questions
    check(found.values, np.arange("2024-01-05", "2024-01-08", dtype="datetime64[D]"))
    cells = [f"{k}/1/2024" for k in range(13, 23)]
    found, questions = column([*cells, "31/2/2024", "n/a"], tmp_path)
    assert (found.kind, found.stray, found.missing) == ("date", (10,), {"n/a": 1})
    assert np.isnat(found.values[10:]).all()
    assert found.values[0] == np.datetime64("2024-01-13")
    path = write(tmp_path, "d,y\n" + "\n".join(f"{c},{k}" for k, c in enumerate([*cells, "1o"])))
    text = read_table(path, "y").cautions[0].text
    assert text.startswith("'d' is taken as dates, but 1 of its 11 cells is not a date")
    assert column([*cells[:5], *"abcde"], tmp_path)[0].kind == "category"


def test_zones_that_differ_are_brought_to_one(tmp_path):
    found, _ = column(["2024-03-07T13:00+02:00", "2024-03-07T13:00Z"], tmp_path)
    check(found.values, np.array(["2024-03-07T11:00", "2024-03-07T13:00"], dtype="datetime64[s]"))


@pytest.mark.parametrize("cell", ["31.02.2024", "2024-13-01", "7 Foo 2024", "1.2.3"])
def test_no_dates(cell, tmp_path):
    assert column([cell, cell], tmp_path)[0].kind == "category"


def test_the_order_of_day_and_month_is_asked_for(tmp_path, capsys):
    _, (question,) = column(["03/04/2024", "05/06/2024"], tmp_path)
    assert "2024-04-03 (--dates day-first) or as 2024-03-04 (--dates month-first)" in question
    for first, right in ((True, "2024-04-03"), (False, "2024-03-04")):
        found, questions = column(["03/04/2024"], tmp_path, day_first=first)
        assert not questions
        assert found.values[0] == np.datetime64(right)
    found, questions = column(["03/04/2024"], tmp_path, other=["27/04/2024"])
    assert not questions
    assert found.values[0] == np.datetime64("2024-04-03")
    assert "day first" in found.readings[0].notes[0]
    file = write(tmp_path, "d,y\n" + "\n".join(f"03/0{1 + k % 9}/2024,{k}" for k in range(N)))
    assert main([str(file), "--target", "y"]) == 2
    assert "--dates day-first" in capsys.readouterr().err


def test_times_of_day_are_hours(tmp_path):
    check(column(["13:30", "?", "06:15:36"], tmp_path)[0].values, [13.5, np.nan, 6.26])
    check(column(["1:30 pm", "12:00 am"], tmp_path)[0].values, [13.5, 0.0])
    found, _ = column(["00.00.00", "18.30.00", "6.15.36"], tmp_path)
    assert found.kind == "clock"
    check(found.values, [0.0, 18.5, 6.26])
    found, _ = column(["10.03.2004 18.00.00", "11.03.2004 06.30"], tmp_path)
    assert found.kind == "date"
    assert list(found.values) == list(np.array(["2004-03-10T18", "2004-03-11T06:30"], "M8[s]"))


@pytest.mark.parametrize("cells", [["18.30", "6.15"], ["1.10.22", "31.60.00"], ["24.00.00", "a"]])
def test_numbers_and_versions_with_points_are_no_times(cells, tmp_path):
    assert column(cells, tmp_path)[0].kind in ("number", "category")


def test_a_whole_number_to_predict_may_have_many_digits(tmp_path):
    money = [12345678901234567 + 10**15 * k for k in range(20)]
    path = write(tmp_path, "x,y\n" + "\n".join(f"{k},{y}" for k, y in enumerate(money)))
    table = read_table(path, "y")
    assert table.task == "regression"
    check(table.y, np.array(money, dtype=float))
    codes = [12345678901234567 + k % 3 for k in range(20)]
    path = write(tmp_path, "x,y\n" + "\n".join(f"{k},{y}" for k, y in enumerate(codes)))
    assert len(np.unique(read_table(path, "y", task="classification").y)) == 3


@pytest.mark.parametrize("cells", [["01", "12"], ["00501", "90210", "-"], ["1234567890123456"]])
def test_digits_that_are_codes_are_text(cells, tmp_path):
    found, _ = column(cells, tmp_path)
    assert found.kind == "code"
    assert list(found.values) == [None if cell == "-" else cell for cell in cells]
    found, _ = column(cells, tmp_path, number=("x",))
    assert found.kind == "number"
    found, _ = column(["1", "2"], tmp_path, text=("x",))
    assert list(found.values) == ["1", "2"]


def test_text_that_is_said_to_be_numbers_is_refused(tmp_path):
    """It was taken as categories, as if nothing had been said."""
    for cells in (["n", "a2", "b"] * 9, ["1", "n", "b"] * 9):
        _, (said,) = column(cells, tmp_path, number=("x",))
        assert "--number 'x': the column holds text (such as 'n')" in said
    found, _ = column([*map(str, range(30)), "about 3"], tmp_path, number=("x",))
    assert found.kind == "number"


def dated(step_hours, n=400, start="2020-01-01T00:00:00"):
    moments = np.datetime64(start) + np.arange(n) * np.timedelta64(step_hours, "h")
    return "when,x,y\n" + "\n".join(f"{t},{k % 7},{k % 5 + k / n}" for k, t in enumerate(moments))


@pytest.mark.parametrize(
    ("hours", "parts"),
    [
        (24, ["days elapsed", "month", "weekday"]),
        (240, ["years elapsed", "month", "weekday"]),
        (5, ["days elapsed", "weekday", "hour"]),
        (0, []),
    ],
)
def test_dates_become_parts(hours, parts, tmp_path):
    table = read_table(write(tmp_path, dated(hours)), "y")
    assert table.columns == (*(f"when ({part})" for part in parts), "x")
    if parts:
        assert any("'when' is a date, from 2020-01-01 to" in note for note in table.notes)
        assert table.cautions[-1].title == "Rows have dates, and the folds are shuffled"
        names = table.feature_names(table.preprocessing.fit(table.X))
        assert "when (weekday)=Mon" in names
        k = table.columns.index("when (weekday)")
        assert list(table.X[:1, k]) == ["Wed"]
        assert table.X[0, 0] == 0
    else:
        assert "left out for having the same value in every row: 'when'" in table.notes


def test_months_begin_with_january(tmp_path):
    table = read_table(write(tmp_path, dated(24 * 31, 60)), "y")
    assert list(table.X[:3, 1]) == ["Jan", "Feb", "Mar"]


# Order in time


def test_folds_in_time_learn_from_earlier_rows_alone(tmp_path):
    rng = np.random.default_rng(0)
    days = rng.integers(0, 60, 200)
    lines = [f"{np.datetime64('2020-01-01') + d},{d % 7},{d}" for d in days]
    path = write(tmp_path, "\n".join(["when,x,y", *lines]))
    table = read_table(path, "y", options=ReadingOptions(time="when"))
    assert_array_equal(table.y, np.sort(days))
    assert table.title.endswith("in order of when")
    assert not [caution for caution in table.cautions if "dates" in caution.title]
    folds = time_folds(table.times, 5)
    assert len(folds) == 5
    for train, test in folds:
        assert table.y[train].max() < table.y[test].min()
    assert np.concatenate([test for _, test in folds])[-1] == 199
    result = compare(table, n_folds=4)
    assert result.n_test >= 40
    assert table.y[: result.n_train].max() < table.y[result.n_train :].min()
    with pytest.raises(TableError, match="too few for 70 folds"):
        time_folds(table.times, 70)


def test_rows_without_a_time_are_left_out(tmp_path):
    text = "t,x,y\n" + "\n".join(f"{'' if k == 5 else 99 - k},{k % 7},{k}" for k in range(N))
    table = read_table(write(tmp_path, text), "y", options=ReadingOptions(time="t"))
    assert_array_equal(table.y, [k for k in range(N - 1, -1, -1) if k != 5])
    assert "left out 1 row, which has no 't'" in table.notes
    with pytest.raises(TableError, match="neither dates nor numbers"):
        read_table(write(tmp_path, "t,x,y\na,1,2\nb,2,3\n"), "y", options=ReadingOptions(time="t"))


# Headers


ROWS = "\n".join(f"{k},{k * k % 11},c{k % 3}" for k in range(N))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (f"sep=,\nx,y,z\n{ROWS}", ("x", "z")),
        (f"# made by hand\n# on a Monday, twice\nx,y,z\n{ROWS}", ("x", "z")),
        (f"# x,y,z\n{ROWS}", ("x", "z")),
        (f"#,y,z\n{ROWS}", ("#", "z")),
        (f"x,y,z\n{ROWS}\n# the end\n", ("x", "z")),
        (f"A title\n\nAnother: one, two\nx,y,z\n{ROWS}", None),
        (f"A title\n\nx,y,z\n{ROWS}", ("x", "z")),
        (f"A title,,\nx,y,z\n{ROWS}", ("x", "z")),
        (f"x,y,z\n[m],[s],\n{ROWS}", ("x", "z")),
        (f"x,y,z\n{ROWS}\nTotal,99,c1\n\nExported by hand\n", ("x", "z")),
        (f"x,y,z\n{ROWS}\nx,y,z\n{ROWS}", ("x", "z")),
        (f'x,y,z\n{ROWS}\n"x","y", "z"\n{ROWS}', ("x", "z")),
        ("x,y\n1,2\n2,1\n3,5\n", ("x",)),
    ],
)
def test_header_lines(text, columns, tmp_path):
    path = write(tmp_path, text)
    if columns is None:
        with pytest.raises(TableError, match=r"line 3: 2 fields where|no column 'y'"):
            read_table(path, "y")
    else:
        table = read_table(path, "y")
        assert table.columns == columns
        assert len(table.y) == (3 if len(columns) == 1 else N * text.count(ROWS))


@pytest.mark.parametrize(
    "text",
    [
        "7,3,c0\n" + ROWS,
        "5.1,3.5,a\n4.9,3,b\n" + ROWS,
        "p,x\nq,y\nq,x\np,y\nq,y\np,z\n",
    ],
)
def test_a_first_line_that_looks_like_a_row_is_asked_about(text, tmp_path, capsys):
    path = write(tmp_path, text)
    assert main([str(path), "--target", "column 2"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "say --no-header, or --header" in err
    n_rows = len(text.split())
    table = read_table(path, "column 2", "auto", ReadingOptions(header=False))
    assert len(table.y) == n_rows
    first = text.partition("\n")[0].split(",")
    table = read_table(path, first[1], "auto", ReadingOptions(header=True))
    assert len(table.y) == n_rows - 1


@pytest.mark.parametrize(
    "header", ["place,1990,1991,1992,1993", "place,400.5,401,401.5,402", "1990,1991,1992,1993,y"]
)
def test_years_and_wavelengths_are_names(header, tmp_path):
    rng = np.random.default_rng(0)
    body = "\n".join(f"p{k % 3},{','.join(map(str, rng.normal(size=4)))}" for k in range(N))
    if header.endswith("y"):
        body = "\n".join(",".join([*line.split(",")[1:], "a"]) for line in body.split("\n"))
    table = read_table(write(tmp_path, f"{header}\n{body}"), header.split(",")[2])
    assert len(table.y) == N


# Encoding


def test_encodings(tmp_path, capsys):
    text = "größe,y\n" + "\n".join(f"{k},{k % 7}" for k in range(N))
    assert read_table(write(tmp_path, "\ufeff" + text), "y").columns == ("größe",)
    for name in ("latin-1", "cp1252", "utf-16"):
        path = write(tmp_path, text, name)
        assert main([str(path), "--target", "y"]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert "say which encoding it has, as --encoding" in err
        assert read_table(path, "y", options=ReadingOptions(encoding=name)).columns == ("größe",)
        assert main([str(path), "--target", "y", "--no-plots", "--encoding", name]) == 0
        capsys.readouterr()
    with pytest.raises(SystemExit):
        main([str(path), "--target", "y", "--encoding", "utf-9"])
    assert "'utf-9' is no encoding" in capsys.readouterr().err


# Ids, sentinels, columns that are named


def table_of(folder, target="y", task="regression", options=LEFT_TO_THE_FILE, **columns):
    names = list(columns)
    lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    return read_table(write(folder, "\n".join([",".join(names), *lines])), target, task, options)


def said(table):
    return {caution.title: caution.text for caution in table.cautions}


RNG = np.random.default_rng(0)
MANY = 300
Y = RNG.normal(size=MANY)
IDS = {
    "customer": RNG.permutation(90_000)[:MANY] + 10_000,
    "nr": RNG.permutation(MANY),
    "store_id": RNG.integers(1, 9, MANY),
    "zip": RNG.integers(10_000, 99_999, MANY),
    "patientID": RNG.permutation(MANY) * 3,
}
MEASURED = {
    "income": np.round(RNG.lognormal(10, 1, MANY)).astype(int),
    "age": RNG.integers(18, 90, MANY),
    "year": RNG.integers(1950, 2020, MANY),
    "people": np.round(RNG.gamma(2, 4000, MANY)).astype(int),
    "width": np.round(RNG.normal(5000, 800, MANY)).astype(int),
    "valid": RNG.integers(0, 2, MANY),
}


@pytest.mark.parametrize("name", IDS)
def test_ids_are_cautioned(name, tmp_path):
    table = table_of(tmp_path, **{name: IDS[name], "y": Y})
    assert repr(name) in said(table)["A column looks like an id or a code"]
    options = ReadingOptions(text=(name,))
    if name == "store_id":
        as_text = table_of(tmp_path, options=options, **{name: IDS[name], "y": Y})
        assert not as_text.cautions
        assert as_text.X.dtype == object
        assert isinstance(as_text.X[0, 0], str)


@pytest.mark.parametrize("name", MEASURED)
def test_measurements_are_not(name, tmp_path):
    assert not table_of(tmp_path, **{name: MEASURED[name], "y": Y}).cautions


def test_text_that_differs_in_nearly_every_row_is_left_out(tmp_path):
    names = [f"name {k}" for k in range(MANY)]
    names[:4] = ["name 5"] * 4
    table = table_of(tmp_path, x=MEASURED["age"], who=names, y=Y)
    assert table.columns == ("x",)
    assert "left out for being text that differs in nearly every row: 'who'" in table.notes


def test_many_texts_are_said_to_be_pooled(tmp_path):
    town = [f"town {k % 80}" for k in range(MANY)]
    table = table_of(tmp_path, town=town, y=Y)
    assert "'town' has 80 different texts: the rarer ones are taken together" in table.notes[0]


def with_code(values, code, every=11):
    values = values.astype(float)
    values[::every] = code
    return values


@pytest.mark.parametrize(
    ("columns", "code", "where"),
    [
        ({"a": with_code(RNG.normal(15, 5, MANY), -999)}, "-999", ["a"]),
        ({"a": with_code(RNG.uniform(0, 8000, MANY), 9999)}, "9999", ["a"]),
        ({"a": with_code(RNG.integers(1, 6, MANY), 99)}, "99", ["a"]),
        (
            {
                "heat": with_code(RNG.normal(15, 5, MANY), -200),
                "gas": with_code(RNG.uniform(500, 2000, MANY), -200),
            },
            "-200",
            ["heat", "gas"],
        ),
        ({"a": with_code(RNG.normal(5, 1, MANY), 1e6), "b": RNG.normal(size=MANY)}, "1e+06", ["a"]),
    ],
)
def test_sentinels_are_cautioned(columns, code, where, tmp_path):
    text = said(table_of(tmp_path, **columns, y=Y))["A value may stand for a missing one"]
    assert f"--missing {code}" in text
    assert [name for name in columns if repr(name) in text] == where
    table = table_of(tmp_path, **columns, y=Y, options=ReadingOptions(missing=(code,)))
    assert not table.cautions
    assert np.isnan(table.X[0, 0])


def test_two_sentinels_and_one_in_the_target(tmp_path):
    both = with_code(with_code(RNG.normal(15, 5, MANY), -999), -998, 7)
    text = said(table_of(tmp_path, a=both, y=with_code(Y, -999)))[
        "A value may stand for a missing one"
    ]
    assert "-999 in 'a'" in text
    assert "'y'" in text
    assert "-998 in 'a'" in text


@pytest.mark.parametrize(
    "values",
    [
        RNG.integers(0, 2, MANY),
        np.where(RNG.random(MANY) < 0.8, 0, RNG.uniform(500, 600, MANY)),
        np.minimum(RNG.lognormal(3, 1, MANY), 50),
        RNG.standard_cauchy(MANY),
        RNG.poisson(2, MANY),
        np.column_stack([RNG.integers(1, 6, MANY), RNG.integers(1, 6, MANY)]),
    ],
)
def test_zeros_and_limits_are_no_sentinels(values, tmp_path):
    columns = {f"a{j}": column for j, column in enumerate(np.atleast_2d(values.T))}
    assert "A value may stand for a missing one" not in said(table_of(tmp_path, **columns, y=Y))


def test_the_end_of_a_scale_is_no_sentinel(tmp_path):
    answers = {name: RNG.integers(1, 6, MANY) for name in "abc"}
    assert "A value may stand for a missing one" not in said(table_of(tmp_path, **answers, y=Y))
    coded = {name: with_code(values, 99) for name, values in answers.items()}
    assert (
        "99 in 'a'" in said(table_of(tmp_path, **coded, y=Y))["A value may stand for a missing one"]
    )


def test_columns_can_be_dropped(tmp_path, capsys):
    table = table_of(tmp_path, a=Y, b=Y + 1, c=-Y, y=Y, options=ReadingOptions(drop=("b",)))
    assert table.columns == ("a", "c")
    path = str(tmp_path / "table.csv")
    for option in ("--drop", "--text", "--number", "--time"):
        assert main([path, "--target", "y", option, "dd"]) == 2
        assert f"{option}: table.csv has no column 'dd'" in capsys.readouterr().err
    assert main([path, "--target", "y", "--missing", "dd=99"]) == 2
    assert "--missing: table.csv has no column 'dd'" in capsys.readouterr().err
    assert main([path, "--target", "y", "--drop", "y"]) == 2
    assert "--drop has the target 'y'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--decimal", ","], "--decimal is about a FILE"),
        (["--no-header"], "--header is about a FILE"),
        (["--missing", "-9"], "--missing is about a FILE"),
        (["--time", "t"], "--time is about a FILE"),
        (["f.csv", "--target", "y", "--decimal", ",", "--thousands", ","], "are the same sign"),
        (["f.csv", "--target", "y", "--text", "a", "--number", "a"], "both name 'a'"),
    ],
)
def test_options_that_make_no_sense(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert message in err


def test_without_pandas_a_file_is_refused_and_the_bundled_data_is_not(
    tmp_path, capsys, monkeypatch
):
    path = write(tmp_path, "x,y\n" + "\n".join(f"{k},{k % 7}" for k in range(N)))
    find, loaded = builtins.__import__, sys.modules.get("pandas")

    def without(name, *rest, **more):
        if name.partition(".")[0] == "pandas":
            raise ImportError(name)
        return find(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main([str(path), "--target", "y"]) == 2
    assert "skreg[report]" in capsys.readouterr().err
    assert main(["--no-plots"]) == 0
    assert sys.modules.get("pandas") is loaded


def test_a_page_in_order_of_time(tmp_path, monkeypatch, capsys):
    found = []
    monkeypatch.setattr(making, "render", lambda contents: found.append(contents) or "page")
    path = write(tmp_path, dated(24, 60))
    given = [str(path), "--target", "y", "--report", str(tmp_path / "r.html"), "--time", "when"]
    assert main([*given, "--folds", "3", "--model", "ridge", "mlp"]) == 0
    assert main([*given, "--folds", "4", "--task", "classification", "--model", "logistic"]) == 2
    assert "is not among the 12 rows before the first fold" in capsys.readouterr().err
    (contents,) = found
    assert "on the rows above those of one of 3 folds (45 of the 60" in contents.score_note
    assert contents.title == "table.csv, target y, in order of when"
    titles = [each.title for each in contents.cautions]
    assert not [title for title in titles if "dates" in title or "numbers" in title]
    notes = [note for note in contents.glance.notes if "'when' is a date" in note]
    assert len(notes) == 1


@pytest.mark.parametrize("n", [4, 5, 10, 30])
def test_later_rows(n):
    folds = list(LaterRows(5).split(np.zeros((n, 1))))
    assert len(folds) == LaterRows(5).get_n_splits(np.zeros(n)) == min(5, n // 2 - 1)
    for train, test in folds:
        assert_array_equal(train, np.arange(test[0]))
        assert len(test) >= 2
    assert folds[-1][1][-1] == n - 1


@pytest.mark.parametrize("rare", [0.05, 0.3])
def test_later_rows_have_every_class_on_both_sides(rare):
    y = np.random.default_rng(0).choice(["a", "b", "c"], 300, p=[rare, 0.5, 0.5 - rare])
    folds = list(LaterClasses(5).split(np.zeros((300, 1)), y))
    assert len(folds) == LaterClasses(5).get_n_splits(None, y) in (4, 5)
    for train, test in folds:
        assert_array_equal(train, np.arange(test[0]))
        assert len(np.unique(y[train])) == len(np.unique(y[test])) == 3
    assert folds[-1][1][-1] == 299


def test_a_class_that_comes_late_has_stratified_folds():
    y = np.repeat(["a", "b"], [90, 10])
    folds = list(LaterClasses(5).split(np.zeros((100, 1)), y))
    assert len(folds) == LaterClasses(5).get_n_splits(None, y) == 5
    assert all(len(np.unique(y[test])) == 2 for _, test in folds)


def test_no_model_of_a_page_in_order_of_time_learns_from_later_rows(tmp_path):
    rows = [
        f"{np.datetime64('2020-01-01') + k},{k % 7},{'no' if k % 3 else 'yes'}" for k in range(60)
    ]
    path = write(tmp_path, "\n".join(["when,x,y", *rows]))
    for task, names in (
        ("classification", ["logistic-l1", "logistic"]),
        ("regression", ["lasso", "ridge"]),
    ):
        table = read_table(
            path,
            "y" if task == "classification" else "x",
            task,
            options=ReadingOptions(time="when"),
        )
        for _, model in usual_models(names, table, rule="min", seed=0):
            inner = getattr(model[-1], "regressor", model[-1])
            for train, test in inner.cv.split(table.X, table.y):
                assert train.max() < test.min()
            model.fit(table.X, table.y)


def test_whole_numbers_that_are_too_large_are_labels_as_text(tmp_path):
    table = table_of(tmp_path, task="classification", x=range(4), y=["1e20", "3", "3", "1e20"])
    assert list(table.y) == ["1e+20", "3", "3", "1e+20"]
    near = ["1234567.5", "1234568.5", "1234567.5", "0.1"]
    assert list(table_of(tmp_path, task="classification", x=range(4), y=near).y) == near


def test_a_message_is_one_line_whatever_the_names(tmp_path):
    path = write(tmp_path, '"a\nb",y\n1,2\n2,3\n3,4\n4,3\n')
    assert read_table(path, "y").columns == ("a b",)
    with pytest.raises(TableError) as error:
        read_table(path, "q\nr")
    assert "\n" not in str(error.value)


# The same cautions about a data frame, which is not read again


def test_columns_of_a_frame_are_cautioned(gather):
    pandas = pytest.importorskip("pandas")
    n = 100
    rng = np.random.default_rng(0)
    heat = rng.normal(15, 5, n)
    heat[::9] = -999
    frame = pandas.DataFrame(
        {
            "customer_id": rng.permutation(90_000)[:n] + 10_000,
            "heat": heat,
            "when": pandas.Timestamp("2024-01-01") + pandas.to_timedelta(rng.permutation(n), "D"),
            "who": [f"name {k}" for k in range(n)],
            "code": ["01", "02"] * (n // 2),
            "x": rng.normal(size=n),
        }
    )
    model = make_pipeline(make_column_transformer(("passthrough", ["x"])), Ridge())
    found = gather(model, frame, frame["x"] + rng.normal(size=n))
    texts = {each.title: each.text for each in found.cautions}
    assert "'customer_id'" in texts["A column looks like an id or a code"]
    assert "--" not in texts["A column looks like an id or a code"]
    assert "-999 in 'heat' (12 rows" in texts["A value may stand for a missing one"]
    assert texts["Rows have dates, and the folds are shuffled"].endswith("cv=TimeSeriesSplit().")
    assert texts["A column of text differs in every row"].startswith("'who':")
    assert not any("'code'" in text for text in texts.values())
    ordered = gather(model, frame, frame["x"], cv=TimeSeriesSplit(3))
    assert "Rows have dates, and the folds are shuffled" not in [e.title for e in ordered.cautions]
    assert "on the rows above those of one of 3 folds" in ordered.score_note


@pytest.mark.parametrize(
    ("below", "note"),
    [
        ("x,y\n", "left out 1 line that repeats the header"),
        ("x,y\n5,6\nx,y\n", "left out 2 lines that repeat the header"),
        ('total,"1\n2"\n', "left out 2 lines below the rows: 'total,\"1, 2\"'"),
    ],
    ids=["once", "twice", "totals"],
)
def test_lines_that_are_no_rows_are_counted(below, note, tmp_path):
    text = "x,y\n1,2\n3,4\n7,8\n" + below
    assert note in read_cells(write(tmp_path, text), ReadingOptions()).notes
