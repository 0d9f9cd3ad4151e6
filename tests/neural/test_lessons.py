"""The lessons on MNIST run, count what they say they count, and tell what does not hold."""

import json

import numpy as np
import pytest

from benchmarks import lessons


@pytest.fixture
def folder(tmp_path):
    """Images as MNIST has them: 784 bytes, here one bright patch a class, with noise."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 300), ("test", 120)):
        y = np.arange(n) % 10
        X = rng.integers(0, 120, (n, 784))
        for row, k in enumerate(y):
            X[row, 78 * k : 78 * k + 40] += 100
        arrays |= {f"X_{part}": X.astype(np.uint8), f"y_{part}": y.astype(np.uint8)}
    np.savez(tmp_path / "mnist.npz", **arrays)
    return tmp_path


def test_every_lesson_ends_in_rows_and_claims(folder, monkeypatch):
    trained = []

    class Narrow(lessons.skreg.MLPClassifier):
        """The nets of the lessons, narrow enough for a test."""

        def fit(self, X, y):
            trained.append(self.get_params())
            self.hidden_layer_sizes = (12,) * np.size(self.hidden_layer_sizes)
            return super().fit(X, y)

    monkeypatch.setattr(lessons.skreg, "MLPClassifier", Narrow)
    files = ["--out", str(folder / "r.json"), "--markdown", str(folder / "r.md")]
    lessons.main(["--data", str(folder), "--quick", *files])
    stored = json.loads((folder / "r.json").read_text(encoding="utf-8"))
    assert list(stored["lessons"]) == list(lessons.LESSONS)
    assert stored["rows"] == [300, 120]
    rows = [row for lesson in stored["lessons"].values() for row in lesson["rows"]]
    assert [row["epochs"] for row in rows] == [net["max_iter"] for net in trained]
    assert {net["max_iter"] for net in trained} == {2, 3, 5, 6}
    assert all(0 <= row["test"] <= 100 and row["loss"] > 0 for row in rows)
    text = (folder / "r.md").read_text(encoding="utf-8")
    claims = [claim for lesson in stored["lessons"].values() for claim in lesson["claims"]]
    assert len(claims) == 8
    assert all(f"| {c['text']} | {c['figure']} |" in text for c in claims)
    assert "QUICK" in text


def test_the_first_epoch_at_a_level():
    assert lessons.first_below([0.5, 0.2, 0.1, 0.3, 0.05], 0.1) == 3
    assert lessons.first_below([0.5, 0.2], 0.1) is None


def test_pixels_are_between_zero_and_one(folder):
    digits = lessons.read(folder)
    assert digits.X.dtype == np.float32
    assert 0 <= digits.X.min() < 0.01
    assert 0.8 < digits.X.max() <= 1
    assert (len(digits.X), len(digits.X_test)) == (300, 120)


def test_a_claim_that_does_not_hold_is_shown():
    claim = {"text": "t", "figure": "1%", "holds": False}
    row = {"model": "m", "epochs": 1, "train": 1, "test": 2, "loss": 3, "seconds": 4, "note": ""}
    result = {"rows": [1, 2], "quick": False, "lessons": {"x": {"rows": [row], "claims": [claim]}}}
    assert "| t | 1% | NO |" in lessons.markdown(result)
