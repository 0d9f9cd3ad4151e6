"""What every test shares: one BLAS thread, no screen, reproducible examples, the larger data."""

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

# Before NumPy is imported for the first time: its BLAS reads these once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import hypothesis
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Timing on a busy machine is no property of the code. The examples are the same in every run, so
# that a red run means a change, and more of them in `.ci/run`, by `--hypothesis-profile=wide`;
# `--hypothesis-profile=explore` looks for new ones.
COMMON = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
hypothesis.settings.register_profile("same", derandomize=True, **COMMON)
hypothesis.settings.register_profile("explore", **COMMON)
hypothesis.settings.register_profile("wide", derandomize=True, max_examples=300, **COMMON)
hypothesis.settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all but each n-th case of a test with `one_in(n)` as exhaustive."""
    seen = Counter()
    for item in items:
        if (mark := item.get_closest_marker("one_in")) is not None:
            test = item.nodeid.partition("[")[0]
            if seen[test] % mark.args[0]:
                item.add_marker("exhaustive")
            seen[test] += 1


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], dict[str, np.ndarray]]:
    """Load one of the reference data sets, which are kept outside the repository.

    They are looked for in the folder that the environment variable SKREG_DATA names, else in
    `../shared/data` beside the checkout; a test that wants one is skipped where it is not there.
    """
    folder = Path(os.environ.get("SKREG_DATA") or ROOT.parent / "shared" / "data")

    def load(name: str) -> dict[str, np.ndarray]:
        file = folder / f"{name}.npz"
        if not file.is_file():
            pytest.skip(f"the data set {name!r} is not there: set SKREG_DATA to its folder")
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)

    return load


@pytest.fixture
def gather(tmp_path, monkeypatch):
    """Report without drawing: the contents that a page would have been made of."""

    import skreg
    from skreg.report import making

    def run(*arguments, **options):
        found = []
        monkeypatch.setattr(making, "render", lambda contents: found.append(contents) or "page")
        written = skreg.report(*arguments, path=tmp_path / "report.html", **options)
        assert written.read_text(encoding="utf-8") == "page"
        return found[0]

    return run


@pytest.fixture(autouse=True)
def _close_figures():
    """Leave no figure of one test open in the next."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
