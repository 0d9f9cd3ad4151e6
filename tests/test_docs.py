"""The README's code gives what it shows, its commands exist, and every example runs."""

import doctest
import re
import runpy
import shlex
from pathlib import Path

import pytest

from skreg.command.run import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GALLERY = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
# Each of them trains or searches for more than a second.
LONG_EXAMPLES = {
    "plot_adversarial.py",
    "plot_batch_normalization.py",
    "plot_dropout.py",
    "plot_early_stopping.py",
    "plot_images.py",
    "plot_penalty_and_sample_size.py",
    "plot_pipeline_grid_search.py",
    "plot_weissi.py",
}
LONGEST_EXAMPLE = 70  # lines
LARGEST_PICTURE = 60_000  # bytes


def fenced(language):
    """The blocks of the README in a language, each with the line it starts on."""
    for block in re.finditer(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE):
        yield README.count("\n", 0, block.start(1)) + 1, block.group(1)


def test_readme_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    names, count = {}, 0
    for line, code in fenced("python"):
        test = doctest.DocTestParser().get_doctest(code, names, "README.md", "README.md", line - 1)
        said = []
        result = doctest.DocTestRunner(optionflags=flags).run(
            test, out=said.append, clear_globs=False
        )
        assert result.failed == 0, "".join(said)
        names, count = test.globs, count + result.attempted
    assert count > 0


def test_readme_commands_parse():
    commands = [line for _, code in fenced("(?:bash|sh)") for line in code.splitlines()]
    ours = [line.partition("-m skreg ")[2] for line in commands if "-m skreg " in line]
    assert ours
    for arguments in ours:
        with pytest.raises(SystemExit) as stop:  # --version after them: parsed, not run
            main([*shlex.split(arguments, comments=True), "--version"])
        assert stop.value.code == 0


def test_readme_links():
    targets = re.findall(r'\]\(([^)#:]+)\)|src="([^":]+)"', README)
    assert targets
    for target in map("".join, targets):
        assert (ROOT / target).exists(), target


def test_long_examples_are_examples():
    assert {path.name for path in EXAMPLES} >= LONG_EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_gallery_shows_every_example(path):
    picture = f"images/{path.stem.removeprefix('plot_')}.png"
    assert f"({path.name})" in GALLERY
    assert f"({picture})" in GALLERY
    assert (path.parent / picture).stat().st_size < LARGEST_PICTURE
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_EXAMPLE


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.exhaustive] * (path.name in LONG_EXAMPLES))
        for path in EXAMPLES
    ],
    ids=lambda path: path.name,
)
def test_example(path, tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: None)
    monkeypatch.setattr("sys.argv", [str(path)])
    runpy.run_path(str(path), run_name="__main__")
