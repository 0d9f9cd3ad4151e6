"""Files are written as a whole or not at all."""

import os

import numpy as np
import pytest

import skreg
from skreg.command.run import main
from skreg.files import write
from skreg.report import making

resource = pytest.importorskip("resource")  # POSIX alone has limits


@pytest.fixture
def full_disk():
    """No file of this process may grow over a few hundred bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_old_pictures(tmp_path, capsys):
    for name in ("skreg_path.png", "skreg_cv.png"):
        (tmp_path / name).write_text(f"old {name}")
    assert main(["--folds", "2", "--out", str(tmp_path)]) == 2
    assert "no picture can be saved in" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["skreg_cv.png", "skreg_path.png"]
    for name in os.listdir(tmp_path):
        assert (tmp_path / name).read_text() == f"old {name}"


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_old_page(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "render", lambda contents: "new" * 1000)
    (tmp_path / "r.html").write_text("old")
    X = np.random.default_rng(0).standard_normal((30, 2))
    with pytest.raises(OSError, match="large"):
        skreg.report(skreg.Ridge(), X, X[:, 0], path=tmp_path / "r.html")
    assert os.listdir(tmp_path) == ["r.html"]
    assert (tmp_path / "r.html").read_text() == "old"


@pytest.mark.usefixtures("full_disk")
def test_the_command_says_that_the_page_cannot_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(making, "render", lambda contents: "new" * 1000)
    page = tmp_path / "r.html"
    assert main(["--folds", "2", "--model", "ridge", "--report", str(page)]) == 2
    assert "File too large" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_a_file_that_lies_in_the_way_is_not_written_to(tmp_path, monkeypatch):
    """Somebody who foresees the name of the unfinished file may have made it a link."""
    monkeypatch.setattr("skreg.files.secrets.token_hex", lambda n: "known")
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / ".page.known").symlink_to(other)
    with pytest.raises(FileExistsError):
        write(tmp_path / "page", b"new")
    assert other.read_text() == "kept"
    assert (tmp_path / ".page.known").is_symlink()
    assert not (tmp_path / "page").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_may_not_be_written_stays(tmp_path):
    kept = tmp_path / "picture.png"
    kept.write_text("kept")
    kept.chmod(0o444)
    with pytest.raises(PermissionError):
        write(kept, b"new")
    assert kept.read_text() == "kept"
