"""The report in a real browser: nothing is asked of the network, nothing runs that should not."""

import json
import re
import struct
from io import BytesIO
from itertools import combinations

import browser as chromium
import numpy as np
import pytest
import report_contents as examples
from matplotlib.image import imread
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skreg import report

PHONE, DESKTOP = 390, 1280
LEAST_CONTRAST = 4.5  # of text, WCAG 2 AA
PAGES = [
    "regression",
    "classification",
    "hostile",
    "hostile classes",
    "wide",
    "many classes",
    "long numbers",
    "long words",
]

if chromium.find() is None:
    pytest.skip(
        "Chromium is not installed: the report is not looked at in a browser",
        allow_module_level=True,
    )


@pytest.fixture(scope="module")
def running():
    with chromium.Browser(chromium.find()) as browser:
        yield browser


@pytest.fixture
def browser(running):
    """A browser that has not told of anything yet."""
    running.events.clear()
    return running


def column(browser, number):
    """The cells of a column of the first coefficient table, from the top."""
    query = f"table.coefficients tbody tr > :nth-child({number})"
    return browser.run(f"[...document.querySelectorAll({json.dumps(query)})].map(c => "
                       "c.dataset.value ?? c.textContent).slice(0, 10)")  # fmt: skip


@pytest.mark.one_in(5)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", PAGES)
def test_it_opens_in_silence_and_fits_the_window(browser, page_file, name, width, dark):
    file = page_file(name)
    browser.open(file, width=width, dark=dark)
    assert browser.complaints() == []
    assert {url for url in browser.requests() if not url.startswith("data:")} == {file.as_uri()}
    assert browser.run("document.scrollingElement.scrollWidth") <= width
    shot = browser.screenshot()
    assert struct.unpack(">II", shot[16:24])[0] == width
    pixels = imread(BytesIO(shot))[..., :3]
    assert (np.median(pixels[::5, ::5]) < 0.2) == dark
    # Pictures have no ground of their own, and something is drawn on it.
    x, y, wide, high = browser.run(
        "(() => { const b = document.querySelector('figure svg').getBoundingClientRect();"
        "return [b.x, b.y + scrollY, b.width, b.height].map(Math.round); })()"
    )
    drawn = pixels[y : y + high, x : x + wide]
    assert (np.median(drawn) < 0.2) == dark
    assert (drawn.max() > 0.8) if dark else (drawn.min() < 0.2)


def test_the_checks_above_can_fail(browser, tmp_path):
    file = tmp_path / "bad.html"
    file.write_text(
        "<img src='elsewhere.png'><div style='width: 2000px'>wide</div>"
        "<script>console.log('said')</script>"
    )
    browser.open(file, width=PHONE)
    assert any("said" in told for told in browser.complaints())
    assert any(url.endswith("elsewhere.png") for url in browser.requests())
    assert browser.run("document.scrollingElement.scrollWidth") > PHONE


@pytest.mark.parametrize("how", ["mouse", "keyboard"])
def test_a_heading_sorts_the_table_both_ways(browser, page_file, how):
    browser.open(page_file("regression"))
    given = column(browser, 3)
    assert [abs(float(value)) for value in given] == sorted(
        (abs(float(value)) for value in given), reverse=True
    )
    assert column(browser, 1) == [str(rank) for rank in range(1, 11)]

    def push(number):
        button = f"table.coefficients th:nth-child({number}) button"
        if how == "mouse":
            browser.click(button)
        else:
            browser.run(f"document.querySelector({json.dumps(button)}).focus()")
            browser.press("Enter", "\r")
        return browser.run(
            "[...document.querySelectorAll('table.coefficients')][0].tHead.rows[0]"
            f".cells[{number - 1}].ariaSort"
        )

    assert push(3) == "descending"
    assert column(browser, 3) == sorted(given, key=float, reverse=True)
    assert push(3) == "ascending"
    assert column(browser, 3) == sorted(given, key=float)
    assert push(2) == "ascending"
    assert column(browser, 2) == sorted(column(browser, 2))
    assert push(2) == "descending"
    assert column(browser, 2) == sorted(column(browser, 2), reverse=True)
    assert push(1) == "descending"
    assert push(1) == "ascending"
    assert column(browser, 3) == given
    sorted_by = browser.run(
        "[...document.querySelectorAll('table.coefficients')][0].querySelectorAll("
        "'[aria-sort=ascending], [aria-sort=descending]').length"
    )
    assert sorted_by == 1


def test_tab_reaches_the_skip_link_first(browser, page_file):
    browser.open(page_file("regression"))
    browser.press("Tab")
    assert browser.run("document.activeElement.className") == "skip"
    browser.press("Enter", "\r")
    assert browser.run("location.hash") == "#result"


@pytest.mark.parametrize("name", ["hostile", "hostile classes"])
def test_text_of_the_data_is_inert(browser, page_file, name):
    browser.open(page_file(name))
    assert browser.complaints() == []
    assert browser.run("document.scripts.length") == 1
    assert browser.run("document.images.length") == 0
    assert browser.run("document.querySelectorAll('[onerror], [onload]').length") == 0
    shown = browser.run("document.body.innerText")
    assert "<script>alert(1)</script>" in shown
    assert '"><img src=x onerror=alert(2)>' in shown
    drawn = browser.run("[...document.querySelectorAll('svg text')].map(t => t.textContent)")
    assert any("<script>al" in text for text in drawn)


def test_text_is_inert_from_the_users_table_on(browser, tmp_path):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    bad = [text for text in examples.HOSTILE if text.isprintable()]
    table = pandas.DataFrame(rng.standard_normal((60, len(bad))), columns=bad)
    kinds = pandas.Series(np.where(table[bad[0]] + rng.standard_normal(60) > 0, *bad[:2]))
    table["<b>words</b>"] = rng.choice(bad, 60)
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["<b>words</b>"]), remainder="passthrough"
    )
    model = make_pipeline(encode, LogisticRegression())
    file = report(
        [(bad[0], model)],
        table,
        kinds.rename(bad[1]),
        path=tmp_path / "report.html",
        title=bad[0],
    )
    browser.open(file, width=PHONE)
    assert browser.complaints() == []
    assert browser.run("document.scripts.length") == 1
    assert browser.run("document.images.length") == 0
    assert browser.run("document.querySelectorAll('main b').length") == 1  # around the target
    assert browser.run("document.scrollingElement.scrollWidth") <= PHONE
    shown = browser.run("document.body.innerText")
    for text in bad[:3]:
        assert text in shown


def test_a_script_of_the_data_would_not_be_let_run(browser, page_file, tmp_path):
    """The policy stops what escaping would miss."""
    html = page_file("regression").read_text(encoding="utf-8")
    file = tmp_path / "broken.html"
    file.write_text(html.replace("</main>", "<script>alert(1)</script><img src=x></main>"),
                    encoding="utf-8")  # fmt: skip
    browser.open(file)
    told = " ".join(browser.complaints())
    assert "Content Security Policy" in told
    assert "javascriptDialogOpening" not in told


@pytest.mark.parametrize("name", ["regression", "classification", "wide"])
def test_the_type_in_pictures_is_legible_on_a_phone_and_inside_them(browser, page_file, name):
    browser.open(page_file(name), width=PHONE)
    boxes = browser.run(
        "[...document.querySelectorAll('figure svg')].flatMap(svg => { const s = "
        "svg.getBoundingClientRect(); return [...svg.querySelectorAll('text')].map(t => {"
        "const b = t.getBoundingClientRect();"
        "return [t.textContent, Math.min(b.width, b.height), s.x - b.x, b.right - s.right,"
        "s.y - b.y, b.bottom - s.bottom]; }); })"
    )
    assert len(boxes) > 30
    small = [text for text, size, *_ in boxes if size < 7 and len(text) > 1]
    assert small == []
    assert [text for text, _, *beyond in boxes if max(beyond) > 2] == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", PAGES)
def test_no_text_of_a_picture_is_cut_or_over_another(browser, page_file, name, width):
    browser.open(page_file(name), width=width)
    boxes = browser.run(
        "[...document.querySelectorAll('figure svg')].map(svg => {"
        "const box = e => { const b = e.getBoundingClientRect();"
        "return [b.left, b.right, b.top, b.bottom]; };"
        "return [box(svg), [...svg.querySelectorAll('text')].map(t => [t.textContent, ...box(t)])];"
        "})"
    )
    assert sum(len(texts) for _, texts in boxes) > 20
    for (left, right, top, bottom), texts in boxes:
        for text, *box in texts:
            beyond = max(left - box[0], box[1] - right, top - box[2], box[3] - bottom)
            assert beyond <= 2, text
        for one, other in combinations(texts, 2):
            wide = min(one[2], other[2]) - max(one[1], other[1])
            high = min(one[4], other[4]) - max(one[3], other[3])
            assert min(wide, high) <= 2, (one[0], other[0])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast_of_text(browser, page_file, dark):
    browser.open(page_file("regression"), dark=dark)
    names = ["ink", "quiet", "link", "serious", "paper", "tint"]
    values = browser.run(
        f"{names}.map(n => getComputedStyle(document.documentElement).getPropertyValue('--' + n))"
    )
    colors = dict(zip(names, map(luminance, values), strict=True))
    for text in names[:4]:
        for ground in names[4:]:
            low, high = sorted([colors[text], colors[ground]])
            assert (high + 0.05) / (low + 0.05) >= LEAST_CONTRAST, (text, ground)


def luminance(color):
    """Relative luminance of #rrggbb."""
    channels = [int(pair, 16) / 255 for pair in re.findall("[0-9a-f]{2}", color.strip())]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_on_paper_it_is_light_and_leaves_nothing_out_but_long_tables(browser, page_file):
    browser.open(page_file("wide"), dark=True)
    paper = browser.paper()
    assert paper.startswith(b"%PDF-")
    pages = len(re.findall(rb"/Type\s*/Page\b", paper))
    assert 5 <= pages <= 9
    browser.send("Emulation.setEmulatedMedia", media="print", features=[
        {"name": "prefers-color-scheme", "value": "dark"}])  # fmt: skip
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert browser.run("getComputedStyle(document.querySelector('figure svg')).filter") == "none"
    head = "document.querySelector('table.coefficients th button')"
    assert browser.run(f"getComputedStyle({head}).display") == "contents"  # or it has no text
    rows = browser.run(
        "[...document.querySelectorAll('table.coefficients')[0].tBodies[0].rows]"
        ".filter(r => r.getClientRects().length).length"
    )
    assert rows == 40
    assert "On paper the first 40 rows" in browser.run("document.body.innerText")
    browser.send("Emulation.setEmulatedMedia", media="")
