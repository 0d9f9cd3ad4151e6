"""Pages that several files look at, and pages that are quickly made."""

import os

import pytest
from report_contents import PAGES

from skreg.report import pictures
from skreg.report.page import render


@pytest.fixture(scope="session")
def page_file(tmp_path_factory):
    """The file of a page, which the first of all test processes to ask for it renders."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder /= "pages"
    folder.mkdir(exist_ok=True)

    def get(name):
        file = folder / f"{name}.html"
        if not file.exists():
            unfinished = folder / f"{name} of {os.getpid()}"
            unfinished.write_text(render(PAGES[name]()), encoding="utf-8")
            unfinished.replace(file)
        return file

    return get


@pytest.fixture
def _without_the_models_pictures(monkeypatch):
    """Leave out of a page what its words do not depend on and takes most of the time."""
    monkeypatch.setattr(pictures, "of_model", lambda *_: iter(()))
