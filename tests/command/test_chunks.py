"""Files that are read so many rows at a time: the text of the command is that of the whole file."""

import io
import re
import sys

import numpy as np
import pandas as pd
import pytest
from messy_files import FILES

from skreg.command.progress import ReadingProgress
from skreg.command.reading import ReadingOptions, read_in_chunks
from skreg.command.reading.chunks import TextChunks
from skreg.command.reading.digest import ColumnDigest
from skreg.command.reading.file import read_cells
from skreg.command.reading.numbers import form_of_number
from skreg.command.run import main

N = 400


def rows(seed=0):
    rng = np.random.default_rng(seed)
    size, weight = rng.normal(10, 3, N), rng.exponential(2, N)
    colour = rng.integers(0, 4, N)
    price = 3 * size + 5 * (colour == 0) - weight + rng.normal(size=N)
    frame = pd.DataFrame(
        {
            "size": size.round(4),
            "weight": weight.round(4),
            "colour": np.array(["red", "green", "blue", ""])[colour],
            "day": (np.datetime64("2020-01-01") + rng.integers(0, 900, N)).astype(str),
            "name": [f"n{k}" for k in range(N)],
            "price": price.round(4).astype(str),
        }
    )
    frame.loc[5:9, "price"] = ""
    return frame


@pytest.fixture
def file(tmp_path):
    rows().to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


def said(capsys, *arguments, code=0):
    """What the command prints, but for the times, and its notes."""
    try:
        found = main([str(one) for one in (*arguments, "--no-plots")])
    except SystemExit as stopped:
        found = stopped.code
    out, err = capsys.readouterr()
    assert found == code, err
    notes = [line for line in err.splitlines() if " pass: " not in line]
    return re.sub(r" +\d+\.\d\d s", "", out), notes


@pytest.mark.parametrize("n_rows", [1, 150, 10_000])
def test_the_text_is_that_of_the_whole_file(file, n_rows, capsys):
    options = ["--target", "price", "--folds", 3]
    wanted = said(capsys, file, *options)
    for part in ("colour=red", "have no 'price'", "text that differs in every row: 'name'"):
        assert part in wanted[0]
    assert said(capsys, file, *options, "--chunk-rows", n_rows) == wanted


def test_rules_seeds_and_readings_are_the_same(tmp_path, capsys):
    frame = rows(1)
    frame["size"] = [f"{value:.4f}".replace(".", ",") for value in frame["size"]]
    frame["weight"] = frame["weight"].round(1)
    frame.to_csv(tmp_path / "rows.csv", index=False, sep=";")
    options = [tmp_path / "rows.csv", "--target", "price", "--rule", "1se", "--seed", 4]
    options += ["--test-size", 0.3, "--text", "weight"]
    wanted = said(capsys, *options)
    assert "different texts: the rarer ones are taken together" in wanted[0]
    found = said(capsys, *options, "--chunk-rows", 90)
    # Which categories are rare is decided on all rows here, and in memory on those of each fold.
    notes = [[line for line in out.splitlines() if "note:" in line] for out, _ in (found, wanted)]
    assert notes[0] == notes[1]
    shorter = [*options, "--drop", "weight"]
    assert said(capsys, *shorter, "--chunk-rows", 90) == said(capsys, *shorter)


def test_a_category_of_the_test_rows_alone_is_no_feature(file, capsys):
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    counts = set()
    for row in range(20, 30):
        changed = frame.copy()
        changed.loc[row, "colour"] = "violet"
        changed.to_csv(file, index=False)
        options = [file, "--target", "price", "--folds", 2, "--drop", "day"]
        wanted = said(capsys, *options)
        assert said(capsys, *options, "--chunk-rows", 120) == wanted
        counts.add(re.search(r"(\d+) features", wanted[0])[1])
        if len(counts) > 1:
            return
    pytest.fail("each category was among the training rows")


@pytest.mark.one_in(2)
@pytest.mark.parametrize("task", ["text", "numbers"])
def test_logistic_regressions_are_those_of_the_whole_file(file, task, monkeypatch, capsys):
    settings = {"hidden_layer_sizes": (), "max_iter": 2, "tol": 0.0, "n_iter_no_change": 1}
    monkeypatch.setattr("skreg.command.class_comparison.network", lambda *_: settings)
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    cheap = frame["price"].replace("", "nan").astype(float) < 30
    named = np.where(cheap, "low", "high") if task == "text" else np.where(cheap, "10", "9")
    frame["price"] = np.where(frame["price"] == "", "", named)
    frame.drop(columns="day").to_csv(file, index=False)
    options = [file, "--target", "price", "--folds", 3]
    options += [] if task == "text" else ["--task", "classification"]
    wanted, notes = said(capsys, *options)
    found, of_chunks = said(capsys, *options, "--chunk-rows", 150)
    left_out = "note: the network, which reads all rows in every epoch, is left out\n"
    assert left_out in found
    assert of_chunks == notes
    of_network = ("Network", "note: Stochastic")
    lines = [line for line in wanted.splitlines() if not line.startswith(of_network)]
    assert found.replace(left_out, "").splitlines() == lines


def test_parquet_is_read_so(file, tmp_path, capsys):
    pytest.importorskip("pyarrow")
    frame = pd.read_csv(file)
    frame["day"] = pd.to_datetime(frame["day"])
    frame.to_parquet(tmp_path / "rows.parquet", row_group_size=70)
    out, notes = said(capsys, file, "--target", "price")
    found = said(capsys, tmp_path / "rows.parquet", "--target", "price")
    assert found == (out.replace("rows.csv", "rows.parquet"), notes)
    path = tmp_path / "rows.parquet"
    for more, message in (
        (["--time", "day"], "Parquet is read in chunks"),
        (["--drop", "size", "--target", "size"], "--drop has the target"),
    ):
        _, (line,) = said(capsys, path, "--target", "price", *more, code=2)
        assert message in line
    frame["list"] = [[1]] * N
    frame.to_parquet(path)
    _, (line,) = said(capsys, path, "--target", "price", code=2)
    assert "'list' holds list" in line
    path.write_bytes(b"PAR1 and no more")
    _, (line,) = said(capsys, path, "--target", "price", code=2)
    assert "cannot be read as Parquet" in line


def test_parquet_has_types(tmp_path, capsys, monkeypatch):
    """Whole numbers are no dates, and text is no number, unless the user says so."""
    pytest.importorskip("pyarrow")
    monkeypatch.setattr("skreg.command.reading.digest.MOST_OF_A_FORM", 20)
    monkeypatch.setattr("skreg.command.reading.digest.MOST_DAYS", 20)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "when": 20200101 + 100 * rng.integers(0, 12, N) + rng.integers(0, 28, N),
            "id": 10**15 + rng.integers(0, 10**17, N),
            "share": rng.choice([1.125, 2.375, 7.5, np.inf], N),  # points of thousands, or decimal
            "wait": pd.to_timedelta(20200101 + rng.integers(0, 28, N), unit="s"),  # in nanoseconds
            "zip": rng.integers(10_115, 10_165, N).astype(str),
            "day": rng.choice(["2020-01-31", "2020-02-03", "2020-02-04"], N),
            "y": rng.normal(size=N).round(3),
        }
    )
    path = tmp_path / "rows.parquet"
    frame.to_parquet(path)
    _, (line,) = said(capsys, path, "--target", "y", code=2)
    assert "'share' is infinite" in line
    frame["share"] = frame["share"].clip(upper=8.0).where(rng.random(N) > 0.1)
    frame.to_parquet(path)
    out, _ = said(capsys, path, "--target", "y")
    assert "note: 'zip': text in the file that looks like numbers, taken as categories" in out
    assert "'day' is a date" in out
    assert "'when' is a date" not in out
    for options, numbers in (
        ({}, ["when", "id", "share", "wait"]),
        ({"number": ["zip"], "text": ["when"]}, ["id", "share", "wait", "zip"]),
    ):
        table = read_in_chunks(path, "y", "text", ReadingOptions(**options), 100, lambda *_: None)
        assert [name for name in table.names[~table.is_category] if "day" not in name] == numbers
        assert any("looks like numbers" in note for note in table.notes) == (not options)


def test_parquet_needs_pyarrow(tmp_path, monkeypatch, capsys):
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    _, (line,) = said(capsys, tmp_path / "rows.parquet", "--target", "price", code=2)
    assert 'install pyarrow: python -m pip install "skreg[arrow]"' in line


def test_missing_numbers_are_medians(file, capsys):
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    frame.loc[::9, "weight"] = "NA"
    frame.loc[::11, "size"] = "-999"
    frame.to_csv(file, index=False)
    options = [file, "--target", "price", "--missing", "size=-999", "--chunk-rows", 50]
    out, _ = said(capsys, *options)
    assert "taken as missing: '-999' (37 cells of 'size'), 'NA' (45 cells of 'weight')" in out
    assert "missing numbers are taken as the median of all rows" in out
    for name, missing in (("weight", "NA"), ("size", "-999")):
        known = (frame["price"] != "") & (frame[name] != missing)
        median = np.median(frame.loc[known, name].astype(float))
        frame.loc[frame[name] == missing, name] = repr(float(median))
    frame.to_csv(file, index=False)
    filled, _ = said(capsys, file, "--target", "price")
    assert out.split("rows.csv, target")[1] == filled.split("rows.csv, target")[1]


def test_the_size_of_numbers_does_not_matter(tmp_path, capsys):
    """Values whose squares, or products, leave the range of floating point."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(90, 3))
    y = X @ [1.0, -2.0, 0.0] + rng.normal(size=90)
    X[::7, 2] = np.nan

    def text(exponents, target):
        frame = pd.DataFrame(np.ldexp(X, exponents), columns=["a", "b", "c"]).assign(y=target)
        frame.to_csv(tmp_path / "table.csv", index=False)
        options = [tmp_path / "table.csv", "--target", "y", "--folds", 2, "--chunk-rows", 100]
        return said(capsys, *options)[0]

    far = [400, -600, 450]
    assert text(far, y) == text(0, y)
    unlike = "(CV error|[^ ]+ ± [^ ]+|^model.*|  +)"
    for exponent in (400, -400):
        out = text(far, np.ldexp(y, exponent))
        assert f"e{2 * exponent * np.log10(2):+.0f}"[:4] in out
        assert re.sub(unlike, "", out, flags=re.M) == re.sub(unlike, "", text(0, y), flags=re.M)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("the sums over rows take 40 GiB"), "the sums over rows take 40 GiB"),
        (MemoryError(), "there is not enough memory"),
    ],
)
def test_what_the_models_do_not_take_is_one_line(error, reason, file, monkeypatch, capsys):
    def refuse(*_, **__):
        raise error

    for name, options in (("compare", []), ("compare_chunks", ["--chunk-rows", 100])):
        monkeypatch.setattr(f"skreg.command.run.{name}", refuse)
        _, (*_, line) = said(capsys, file, "--target", "price", *options, code=2)
        assert f"no models of this table: {reason}; --drop" in line


def test_an_error_of_linear_algebra_is_not_laid_on_the_table(file, monkeypatch):
    def fail(*_, **__):
        raise np.linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr("skreg.command.run.compare", fail)
    with pytest.raises(np.linalg.LinAlgError, match="SVD did not converge"):
        main([str(file), "--target", "price", "--no-plots"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--report", "page.html"], "a page needs the rows"),
        (["--time", "day"], "--time needs all rows in memory"),
        (["--jobs", "2"], "--jobs shares folds of rows"),
        (["--task", "classification"], "too few for 5 folds and a test"),
        (["--target", "name"], "too few for 5 folds and a test"),
        (["--target", "day"], "holds dates"),
        (["--target", "prize"], "did you mean 'price'"),
        (["--chunk-rows", "0"], "0 is below 1"),
        (["--folds", "300"], "rows are too few"),
    ],
)
def test_what_cannot_be_done_is_said(file, more, message, capsys, tmp_path):
    options = ["--target", "price", "--chunk-rows", "100", *more]
    if "--report" in more:  # which has no --no-plots
        with pytest.raises(SystemExit):
            main([str(file), *options])
        assert message in capsys.readouterr().err
        return
    assert any(message in line for line in said(capsys, file, *options, code=2)[1])
    with pytest.raises(SystemExit):
        main(["--chunk-rows", "5"])
    assert "--chunk-rows is about a FILE" in capsys.readouterr().err


# The reading ------------------------------------------------------------------------------------


ENDS = ["", ".0", ".25", ".123", ".1234", ".123456"]


def cells_of(folder, text, n_rows, **options):
    path = folder / "table.csv"
    path.write_bytes(text.encode())
    source = TextChunks(path, ReadingOptions(**options), n_rows)
    told = []
    chunks = list(source.chunks(lambda *far: told.append(far)))
    assert told[-1] == (len(text.encode()), sum(len(one.places) for one in chunks))
    columns = {
        name: [text for one in chunks for text in one.columns[name]] for name in chunks[0].columns
    }
    return columns, [place for one in chunks for place in one.places], source


ODD = """# a comment
Prices of houses
"size",colour

1,red
# another
2,"a, b
c"
size,colour
3, blue
4,red\x20
\t5,green\x20\t
total,9
"""


@pytest.mark.parametrize("n_rows", [1, 2, 100])
def test_odd_files(tmp_path, n_rows):
    columns, places, source = cells_of(tmp_path, ODD, n_rows)
    assert columns == {
        "size": ["1", "2", "3", "4", "5"],
        "colour": ["red", "a, b\nc", "blue", "red", "green"],
    }
    assert places == ["line 5", "lines 7 to 8", "line 10", "line 11", "line 12"]
    assert source.notes == [
        "left out 2 comments, which begin with #",
        "left out 1 line above the header, such as 'Prices of houses'",
        "left out 1 line that repeats the header",
        "left out a line below the rows: 'total,9'",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf8", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_no_letter(tmp_path, encoding):
    text = "\ufeff" if encoding != "utf-16" else ""  # which writes one by itself
    (tmp_path / "table.csv").write_text(text + "x,y\n1,2\n3,4\n", encoding=encoding)
    options = ReadingOptions(encoding=encoding)
    (chunk,) = TextChunks(tmp_path / "table.csv", options, 100).chunks(lambda *_: None)
    assert list(chunk.columns) == list(read_cells(tmp_path / "table.csv", options).columns)
    assert list(chunk.columns) == ["x", "y"]


@pytest.mark.parametrize(
    ("first", "last", "n_left"),
    [
        ("total,0", "total,7", 302),  # a category, which the first chunk alone has
        ('"the total, so far",0', "total,7", 302),
        ("a,0\n# total", "total,7", 301),  # a comment has it, and no row
        ("a,0", 'total,  "7" ', 301),
    ],
)
def test_a_footer_is_told_as_in_the_whole_file(tmp_path, first, last, n_left):
    lines = [first, *(f"{'bcd'[k % 3]},{k % 7}" for k in range(300)), last]
    text = "\n".join(["kind,y", *lines])
    columns, _, source = cells_of(tmp_path, text, 100)
    assert len(columns["kind"]) == n_left
    whole = read_cells(tmp_path / "table.csv", ReadingOptions())
    assert {name: list(texts) for name, texts in whole.columns.items()} == columns
    assert list(whole.notes) == source.notes
    list(source.chunks(lambda *_: None))
    assert list(whole.notes) == source.notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "line 3: 1 field where the header has 2"),
        ('a,b\n1,2\n3,"4\n5,6\n', "line 3: a quotation mark is left open"),
        ("a,b\n", "has a header and no rows"),
        ("", "is empty"),
        ("a,b\n1,\0\n", "is not a text file"),
        ("a,b\n1,2e400\n3,4\n", "line 2: 'b' is infinite or too large"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path, capsys, text, message):
    (tmp_path / "table.csv").write_text(text)
    _, (line,) = said(capsys, tmp_path / "table.csv", "--target", "a", "--chunk-rows", 1, code=2)
    assert message in line


def test_a_digest_keeps_what_tells_and_counts_all():
    texts = [f"{k / 1000:.3f}" for k in range(20_000)] + ["NA", "12,5", "007"]
    digest, whole = ColumnDigest(), np.array(texts, dtype=object)
    for part in np.array_split(whole, 7):
        digest.add(part, [f"line {text}" for text in part], ())
    assert digest.full
    assert len(digest.counts) < 5_000
    assert sum(digest.counts.values()) == len(texts)
    assert {"NA", "12,5", "007", "0.000"} <= digest.counts.keys()
    assert digest.places["12,5"] == "line 12,5"


def test_the_pattern_of_a_form_fits_its_numbers_and_no_others():
    digits = [
        "0",
        "7",
        "00",
        "10",
        "123",
        "0123",
        "1234",
        "12345",
        "20240131",
        "123456789",
        "9" * 16,
    ]
    texts = [sign + whole + end for sign in ("", "-", "+") for whole in digits for end in ENDS]
    by_form = {}
    for text in [*texts, "1e5", "-2.5E-07"]:
        by_form.setdefault(form_of_number(text), []).append(text)
    assert None not in by_form
    for form, own in by_form.items():
        fits = {text for text in texts if re.fullmatch(form.pattern, text)}
        assert fits == set(own) & set(texts)
    assert re.fullmatch(form_of_number("1e5").pattern, "-2.5E-07")
    assert [form_of_number(text) for text in ("", "NA", "1,5", "5 km", "inf", "1e999")] == [
        None
    ] * 6


def test_a_column_may_change_its_form_late(tmp_path, capsys):
    """Days without separators up to a last row, which makes them numbers."""
    lines = [f"{20200101 + k % 28},{k % 7}" for k in range(300)] + ["123456,3", "20200101.5,2"] * 3
    (tmp_path / "table.csv").write_text("\n".join(["when,y", *lines]))
    options = [tmp_path / "table.csv", "--target", "y"]
    assert said(capsys, *options, "--chunk-rows", 100) == said(capsys, *options)


def test_more_texts_than_are_kept(file, monkeypatch, capsys):
    options = [file, "--target", "price", "--folds", 3]
    wanted = said(capsys, *options)
    monkeypatch.setattr("skreg.command.reading.digest.MOST_OF_A_FORM", 20)
    assert said(capsys, *options, "--chunk-rows", 64) == wanted
    monkeypatch.setattr("skreg.command.reading.digest.MOST_TEXTS", 50)
    out, _ = said(capsys, *options, "--chunk-rows", 64, "--drop", "day")
    assert "left out for being text that differs in nearly every row: 'name'" in out
    _, (line,) = said(capsys, *options, "--chunk-rows", 64, code=2)
    assert "'day' has more different texts than are kept" in line


# Progress ---------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch):
    monkeypatch.setattr("skreg.command.progress.PER_BAR", 0.0)
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = ReadingProgress("first pass", 2_000_000, stream)
        progress(500_000, 1234)
        progress(2_000_000, 5000)
    first, second = terminal.getvalue().split("\r")[1:]
    assert first == "[######..................] first pass: 25% of 2.0 MB, 1,234 rows, 0 s"
    assert second == "[########################] first pass: 100% of 2.0 MB, 5,000 rows, 0 s\n"
    assert file.getvalue() == "first pass: 100% of 2.0 MB, 5,000 rows, 0 s\n"


@pytest.mark.parametrize("name", FILES)
def test_messy_files_are_read_as_a_whole(name, tmp_path, capsys):
    given = FILES[name]()
    (tmp_path / "table.csv").write_text(given.text, encoding="utf-8")
    options = [tmp_path / "table.csv", "--target", given.target, "--folds", 2]
    out, notes = said(capsys, *options)
    if "log-loss" in out:
        return
    found, of_chunks = said(capsys, *options, "--chunk-rows", 100)
    assert of_chunks == notes
    without = found.replace("note: missing numbers are taken as the median of all rows\n", "")
    if without == found:
        assert found == out
    assert without.partition("model ")[0] == out.partition("model ")[0]
