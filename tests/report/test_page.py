"""The report as a file: what it says, what it holds, and that text of the data stays text."""

import hashlib
import re
import sys
from base64 import b64encode
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
import report_contents as examples
from matplotlib.figure import Figure
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skreg
from skreg.report import drawing, page, pictures, wording

VOID = {"meta", "link", "img", "br", "hr", "input"}
LARGEST = 5_000_000  # bytes of a file


class Reader(HTMLParser):
    """Elements and visible text of a page; fails where a tag is closed that is not open."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.open = [], [], []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


MADE = [
    "regression",
    "classification",
    "wide",
    "many classes",
    "hostile",
    "names like ids",
    "one feature",
    "two classes",
]


@pytest.fixture
def pages(page_file):
    """The text of a page."""
    return lambda name: page_file(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MADE)
def test_the_file_stands_alone_and_is_well_formed(pages, name):
    html = pages(name)
    read = Reader(html)
    assert len(html.encode()) < LARGEST
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in read.elements:
        for key, value in attributes.items():
            if key in ("href", "xlink:href", "src", "srcset", "action", "data"):
                assert value.startswith(("#", "data:")), value
                assert not value.startswith("#") or value[1:] in ids, value
            for target in re.findall(r"url\((.*?)\)", value or ""):
                assert target.removeprefix("#") in ids, value
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1]
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = read.all("meta")[1]["content"]
    assert "default-src 'none'" in policy
    assert f"'sha256-{digest}'" in policy


@pytest.mark.parametrize("name", MADE)
def test_the_page_can_be_read_by_other_means_than_eyes(pages, name):
    read = Reader(pages(name))
    assert read.all("html") == [{"lang": "en"}]
    assert len(read.all("h1")) == len(read.all("main")) == len(read.all("nav")) == 1
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    drawn = [attributes for attributes in read.all("svg") if "role" in attributes]
    assert (
        len(drawn) == len(read.all("svg")) == len(read.all("figure")) == len(read.all("figcaption"))
    )
    for attributes in drawn:
        assert attributes["role"] == "img"
        assert len(attributes["aria-label"]) > 40
    assert all(attributes["scope"] in ("row", "col") for attributes in read.all("th"))
    for _, attributes in read.elements:  # what scrolls can be reached by keyboard, and has a name
        if "scroll" in (attributes.get("class") or "").split():
            assert attributes["tabindex"] == "0"
            assert attributes.get("aria-label") or attributes.get("aria-labelledby")


def test_the_reading_order(pages):
    words = Reader(pages("regression")).words
    order = [
        "Disease progression",
        "Of 2 models, LassoCV scores best: R² 0.488 ± 0.022 over 5 folds.",
        "Next comes RidgeCV with 0.480 ± 0.024; fold for fold the difference is 0.0080 ± 0.0049,"
        " too small to tell the two apart.",
        "By comparison, predicting the mean has −0.014.",
        "Cautions (2)",
        "Serious: alpha is at the edge of the grid",
        "The target, progression",
        "Mean over 5 folds ± its standard error",
        "The first score ranks the models.",
        "An arrow points to what lies outside.",
        "LassoCV(cv=5)",
        "α in use",
        "Coefficients as the penalty falls",
        "Error of the rows held out",
        "The largest coefficients.",
        "What each prediction misses",
        "RidgeCV(cv=5)",
        "skreg.report(LassoCV(), X, y)",
        "Python 3.13.1",
    ]
    place = 0
    for text in order:
        assert text in words[place:]
        place = words.index(text, place) + len(text)


@pytest.mark.usefixtures("_without_the_models_pictures")
def test_the_best_model_comes_first_and_the_baseline_last():
    made = examples.regression()
    swapped = replace(made, models=made.models[::-1], best=1)
    html = page.render(swapped)
    rows = re.findall(r'<th scope="row">(.*?)</th>', html[html.index('id="models"') :])
    assert rows[:3] == ['LassoCV <span class="tag">best</span>', "RidgeCV", "Predicting the mean"]
    assert html.index("<h2>LassoCV</h2>") < html.index("<h2>RidgeCV</h2>")
    assert "<h2>Predicting the mean</h2>" not in html


def test_a_model_that_loses_to_the_baseline():
    made = examples.regression()
    ahead = replace(made.baseline, scores=(examples.score("R²", [0.6] * 5),))
    words = wording.result(replace(made, baseline=ahead))
    assert words.endswith("predicting the mean has 0.6: no model does better than that.")


def test_one_model_and_a_clear_winner():
    made = examples.regression()
    alone = wording.result(replace(made, models=made.models[:1], baseline=None))
    assert alone == "The R² of LassoCV is 0.488 ± 0.022 over 5 folds."
    worse = replace(made.models[1], scores=(examples.score("R²", [0.1, 0.1, 0.1, 0.1, 0.2]),))
    words = wording.result(replace(made, models=(made.models[0], worse), baseline=None))
    assert words.endswith("fold for fold the difference is 0.368 ± 0.016.")


@pytest.mark.usefixtures("_without_the_models_pictures")
def test_scores_that_do_not_exist():
    made = examples.regression()
    nothing = examples.score("R²", [np.nan] * 5)
    second = replace(made.models[1], scores=(nothing, made.models[1].scores[1]))
    html = page.render(replace(made, models=(made.models[0], second)))
    assert '<td class="number">–</td>' in html
    assert "nan" not in Reader(html).words.lower()


def hostile():
    """Every text of a report as bad as text of the data can be."""
    made = examples.classification(classes=examples.HOSTILE[:3])
    bad = examples.HOSTILE[0]
    look = replace(
        made.glance,
        target=bad,
        columns=tuple(replace(c, name=bad, summary=bad) for c in made.glance.columns),
        constant=(bad,),
        notes=(bad,),
        correlated=(replace(made.glance.correlated[0], names=(bad, bad)),),
    )
    return replace(
        made,
        title=bad,
        made=bad,
        glance=look,
        models=tuple(
            replace(model, name=f"{bad} {model.name}", settings=bad, notes=(bad,), left_out=(bad,))
            for model in made.models
        ),
        cautions=(replace(made.cautions[0], title=bad, text=bad),),
        versions=((bad, bad),),
        call=bad,
        score_note=bad,
    )


@pytest.mark.parametrize("which", ["names", "texts"])
def test_text_of_the_data_is_shown_and_not_run(pages, which):
    html = pages("hostile") if which == "names" else page.render(hostile())
    read = Reader(html)
    assert len(read.all("script")) == len(read.all("style")) == 1
    assert not read.all("img")
    assert all(not key.startswith("on") for _, found in read.elements for key in found)
    assert "{{ 7 * 7 }}" in html or which == "texts"
    assert "<script>alert(1)</script>" in read.words
    assert html.count("<script") == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff]", html)
    html.encode("utf-8")


def test_a_table_of_many_coefficients_is_cut_and_says_so(pages):
    html = pages("wide")
    words = Reader(html).words
    assert "The 200 largest of 5,000 coefficients are shown" in words
    assert "(the first 200 of 5,000)" in words
    ridge, lasso = re.findall(r'<table class="coefficients".*?</table>', html, re.DOTALL)
    assert ridge.count("<tr") == 201
    made = examples.wide()
    kept = np.count_nonzero(made.models[1].coefficients.values)
    assert lasso.count("<tr") == kept + 1
    assert f"The other {5000 - kept:,} are zero." in words


def test_a_table_holds_the_models_numbers(pages):
    html = pages("regression")
    table = re.search(r'<table class="coefficients".*?</table>', html, re.DOTALL)[0]
    given = examples.regression().models[0].coefficients
    order = np.argsort(-np.abs(given.values))
    names = re.findall(r'<th scope="row">(.*?)</th>', table)
    values = np.array(re.findall(r'data-value="([^"]+)"', table), dtype=float).reshape(-1, 3)
    assert names == list(given.names[order])
    np.testing.assert_array_equal(values[:, 0], np.arange(1, 11))
    np.testing.assert_array_equal(values[:, 1], given.values[order])
    np.testing.assert_array_equal(values[:, 2], given.at_1se[order])


def test_what_arithmetic_leaves_of_a_zero_is_shown_as_zero():
    made = examples.regression(["bmi", "bp"])
    values = np.array([300.0, 1e-13])
    coefficients = replace(made.models[0].coefficients, values=values, at_1se=None)
    model = replace(made.models[0], coefficients=coefficients, path=None, cv=None)
    html = page.render(replace(made, models=(model,)))
    assert 'data-value="300.0">300</td>' in html
    assert 'data-value="1e-13">0</td>' in html


def test_many_models_share_the_room(monkeypatch):
    made = examples.wide()
    models = [replace(made.models[0], name=f"model {k}") for k in range(40)]
    monkeypatch.setattr(page, "_MOST_PICTURE_BYTES", 80_000)
    html = page.render(replace(made, models=tuple(models)))
    drawn = sum(len(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert 40_000 < drawn < 180_000  # with the comparison, which is not counted
    assert len(html) - drawn < LARGEST - 3_000_000
    read = Reader(html)
    assert len(read.all("h2")) == 44
    assert read.words.count("left out to keep this file below 5 MB") > 35
    assert "The 100 largest of 5,000 coefficients are shown" in read.words


@pytest.mark.exhaustive
def test_a_report_of_seven_thousand_genes(shared_data, tmp_path):
    data = shared_data("golub")
    model = skreg.RidgeCV(alphas=np.logspace(2, 8, 20), cv=5, scoring="neg_mean_squared_error")
    file = skreg.report(
        make_pipeline(StandardScaler(), model),
        data["X"].astype(float),
        data["y"].astype(float),
        path=tmp_path / "golub.html",
    )
    assert file.stat().st_size < 1_000_000
    words = Reader(file.read_text(encoding="utf-8")).words
    assert "The 200 largest of 7,129 coefficients are shown." in words
    assert "(the first 200 of 7,129)" in words


def test_the_style_of_the_session_neither_matters_nor_changes(pages):
    import matplotlib.pyplot as plt

    usual = pages("regression")  # of the same contents
    with plt.style.context("dark_background"):
        before = dict(matplotlib.rcParams)
        assert page.render(examples.regression()) == usual
        assert dict(matplotlib.rcParams) == before
        assert not plt.get_fignums()


def test_names_in_pictures_are_text(pages):
    svg = re.search(r"<svg[^>]*Coefficients as.*?</svg>", pages("regression"), re.DOTALL)[0]
    drawn = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert {"bmi", "s5", "penalty α"} <= set(drawn)


@pytest.fixture
def figures(monkeypatch):
    """The figures that pictures are drawn on, by name, beside the pictures."""
    seen = {}

    def keep(sketch, key, of, **options):
        seen[sketch.name] = Figure()
        sketch.draw(seen[sketch.name])
        return drawing.picture(sketch, key, of, **options)

    monkeypatch.setattr(pictures, "picture", keep)
    return seen


def test_what_is_drawn_of_scores_is_what_they_are(figures):
    made = examples.regression()
    pictures.comparison(made, [0, 1])
    (ax,) = figures["comparison"].axes
    for place, bars in enumerate(ax.containers):
        score = made.models[place].scores[0]
        mean, error = score.values.mean(), score.values.std(ddof=1) / np.sqrt(5)
        np.testing.assert_allclose(bars[0].get_xydata(), [[mean, place]])
        (ends,) = bars[2][0].get_segments()
        np.testing.assert_allclose(ends[:, 0], [mean - error, mean + error])
    assert len(ax.containers) == 2  # the baseline is an arrow
    strokes = [line for line in ax.lines if line.get_marker() == "|" and len(line.get_xdata()) == 5]
    np.testing.assert_array_equal(strokes[1].get_xdata(), made.models[1].scores[0].values)
    assert ax.get_yticklabels()[0].get_text() == "LassoCV"
    assert ax.yaxis_inverted()


def test_what_is_drawn_of_predictions_is_what_they_are(figures):
    made = examples.regression()
    list(pictures.of_model(made.models[0], made, 0))
    offsets = figures["residuals"].axes[0].collections[0].get_offsets()
    held_out = made.models[0].held_out
    np.testing.assert_allclose(offsets, np.column_stack([held_out, made.y - held_out]))

    made = examples.classification()
    list(pictures.of_model(made.models[1], made, 1))
    ax = figures["confusion"].axes[0]
    counts = [int(text.get_text()) for text in ax.texts]
    expected = [
        np.count_nonzero((made.y == actual) & (made.models[1].held_out == predicted))
        for actual in np.unique(made.y)
        for predicted in np.unique(made.y)
    ]
    assert sorted(counts) == sorted(expected)
    assert np.asarray(ax.images[0].get_array()).ravel().tolist() == expected


@pytest.mark.parametrize("greater", [True, False])
def test_a_score_far_off_does_not_squeeze_the_others(greater):
    made = examples.regression()
    far = np.array([7, 9, 8, 20, 7.0])
    models = [
        replace(model, scores=(examples.score("R²", values, greater),))
        for model, values in zip(
            made.models, ([0.4, 0.5, 0.45, 0.5, 0.42], -far if greater else far), strict=True
        )
    ]
    drawn = pictures.comparison(replace(made, models=tuple(models), baseline=None), [0, 1])
    text = re.findall(r"<text[^>]*>([^<]+)</text>", drawn.svg)
    assert ("← −10.2 ± 2.5" if greater else "10.2 ± 2.5 →") in text
    assert "An arrow points" in drawn.caption
    assert {"0.40", "0.44", "0.48"} <= set(text)  # ticks


def test_many_thin_lines_become_one_image():
    made = examples.wide(600)
    path = next(pictures.of_model(made.models[0], made, 0))
    assert path.svg.count("<image") == 1
    assert len(path.svg) < 300_000


def test_pictures_of_a_network(pages):
    words = Reader(pages("classification")).words
    assert "How the network was trained." in words
    assert "Weights of each layer" in words
    assert "of 150 are right" in words
    assert "It has no penalty, so there is no path." in words


def test_a_curve_for_two_classes(pages):
    words = Reader(pages("two classes")).words
    assert "Receiver operating characteristic for yes" in words
    assert "the area below it is 0.9" in words


def test_many_classes_are_cut_and_said_so(pages):
    words = Reader(pages("many classes")).words
    assert "Of 60 classes these are the 20 with the most mistakes" in words
    assert "The first 6 of 60 classes are shown." in words
    assert "And 48 more." in words
    assert "Those for 57 more are not drawn." in words


def test_classes_that_are_numbers_stand_in_their_order():
    made = examples.two_classes()
    y = np.repeat([2, 10, 9, 1], 50)
    model = replace(made.models[0], held_out=np.roll(y, 5), probabilities=None)
    (drawn,) = pictures.of_model(model, replace(made, y=y), 0)
    text = re.findall(r"<text[^>]*>([^<]+)</text>", drawn.svg)
    assert [label for label in text if label in ("1", "2", "9", "10")] == ["1", "2", "9", "10"] * 2
    assert "180 of 200 are right" in drawn.caption


def test_one_class_among_the_rows_held_out_has_no_curve():
    made = examples.two_classes()
    y = np.full(len(made.y), "yes")
    drawn = list(pictures.of_model(made.models[0], replace(made, y=y), 0))
    assert len(drawn) == 1


def test_an_alpha_outside_the_path_is_not_marked():
    made = examples.regression()
    model = replace(made.models[0], alpha=1e6, alpha_min=None, alpha_1se=1e-9)
    drawn = list(pictures.of_model(model, made, 0))
    assert len(drawn) == 4


@pytest.mark.usefixtures("_without_the_models_pictures")
def test_nothing_to_caution_against():
    words = Reader(page.render(examples.classification(cautions=()))).words
    assert "The checks found nothing to warn of." in words


@pytest.mark.usefixtures("_without_the_models_pictures")
def test_long_settings_are_folded_away():
    made = examples.classification()
    model = replace(made.models[0], settings="LogisticRegression(" + 100 * "C=1, " + ")")
    html = page.render(replace(made, models=(model, made.models[1])))
    assert html.count('<details class="settings">') == 1
    assert '<pre class="settings"><code>DecisionTreeClassifier()</code></pre>' in html


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib", "pandas"])
def test_what_is_missing_is_named(monkeypatch, missing):
    contents = examples.regression()  # scikit-learn 1.6 looks at pandas where it is None
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"needs {missing}.*pip install 'skreg\[report\]'"):
        page.require_jinja2()
    with pytest.raises(ImportError, match=missing):
        page.render(contents)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5, "5"),
        (0.5, "0.5"),
        (1 / 3, "0.3333"),
        (-2 / 3, "−0.6667"),
        (123456.78, "123,457"),
        (9999.96, "10,000"),
        (0.00012345, "0.0001234"),
        (1.2345e-5, "1.234 × 10⁻⁵"),
        (-3e9, "−3 × 10⁹"),
        (9.99999e-5, "0.0001000"),
        (float("nan"), "not known"),
        (float("-inf"), "−∞"),
    ],
)
def test_numbers_for_a_reader(value, text):
    assert wording.numeral(value) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.5, 0.1, "0.50 ± 0.10"),
        (0.5, 0.0996, "0.50 ± 0.10"),
        (-0.004, 0.012, "−0.004 ± 0.012"),
        (-0.0004, 0.12, "0.00 ± 0.12"),
        (180796.06, 1234.5, "180,800 ± 1,200"),
        (1.0, 0.0, "1"),
        (0.05, 1e-17, "0.05"),
        (0.9, float("nan"), "0.9"),
        (3.2e12, 4.1e10, "(3.200 ± 0.041) × 10¹²"),
    ],
)
def test_numbers_with_their_errors(value, error, text):
    assert wording.with_error(value, error) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.001, "< 0.01 s"), (1.234, "1.23 s"), (59, "59 s"), (600, "10 min"), (9000, "2.5 h")],
)
def test_durations(seconds, text):
    assert wording.duration(seconds) == text


def test_importing_skreg_does_not_import_the_template_engine():
    import subprocess

    code = "import skreg, sys; sys.exit('jinja2' in sys.modules)"
    root = skreg.__path__[0] + "/.."
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
