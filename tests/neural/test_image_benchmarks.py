"""The benchmark of convolutional networks: what each library is asked for, and the tables of it.

No test here looks at a time.
"""

import importlib.util
import io
import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from benchmarks import image_layers, images
from benchmarks.image_nets import ConvNet

TINY = ConvNet((8, 8, 1), (2, 3), (4,), kernel=3, batch=16, rate=0.01)
torch_is_there = importlib.util.find_spec("torch") is not None


def asked(library, net, **more):
    given = {"library": library, "net": asdict(net), "task": "train", "rows": 48, "data": None}
    given |= {"epochs": 2, "start": None, "channels_last": False, **more}
    return images.work(json.loads(json.dumps(given)))


def test_the_shapes_of_a_net():
    assert images.CLASSIC.layers == [(32, 32, 3, 32), (16, 16, 32, 32), (8, 8, 32, 64)]
    assert images.CLASSIC.flat == (4, 4, 64)
    assert images.LENET.flat == (7, 7, 16)


def test_a_training_is_told_epoch_by_epoch(tmp_path):
    start = tmp_path / "start.npz"
    found = asked("skreg", TINY, start=str(start))
    assert [len(found[name]) for name in ("losses", "seconds", "wall")] == [2, 2, 2]
    weights, biases = images.read_weights(start)
    shapes = [(3, 3, 1, 2), (3, 3, 2, 3), (12, 4), (4, 10)]
    assert [weight.shape for weight in weights] == shapes
    assert [len(bias) for bias in biases] == [2, 3, 4, 10]
    images.write_weights(tmp_path / "again.npz", (weights, biases))
    for old, new in zip(weights, images.read_weights(tmp_path / "again.npz")[0], strict=True):
        np.testing.assert_array_equal(old, new)


def test_losses_are_without_the_penalty():
    """Of a single batch the loss is that of the start, whatever the penalty is."""
    net = replace(TINY, batch=48)
    first, second = (asked("skreg", replace(net, alpha=a))["losses"][0] for a in (0.0, 2.0))
    assert first == pytest.approx(second, rel=1e-5)
    assert 2 < first < 4  # about log 10


@pytest.mark.skipif(not torch_is_there, reason="PyTorch is not installed")
@pytest.mark.parametrize("channels_last", [False, True])
def test_both_libraries_train_one_net_alike(tmp_path, channels_last):
    options = {"start": str(tmp_path / "start.npz"), "epochs": 5}
    net = replace(TINY, shuffle=False, solver="sgd", activation="identity", alpha=0.01)
    ours = asked("skreg", net, **options)["losses"]
    theirs = asked("PyTorch", net, channels_last=channels_last, **options)["losses"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_each_layer_is_timed_by_itself():
    found = image_layers.times_of_layers("skreg", replace(TINY, batch=2), repeats=1)
    assert list(found) == [
        "convolution 1, 8x8, 1 to 2", "max-pooling 1, 8x8, 2",
        "convolution 2, 4x4, 2 to 3", "max-pooling 2, 4x4, 3",
    ]  # fmt: skip
    assert [products > 0 for _, products in found.values()] == [True, False] * 2


def test_images_are_read_as_they_are_stored(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 256, (3, 1, 1, 3)).astype(np.uint8)
    files = []
    for color in colors:
        stored = io.BytesIO()
        image.fromarray(np.tile(color, (8, 8, 1))).save(stored, "JPEG")
        files.append(np.frombuffer(stored.getvalue(), np.uint8))
    offsets = np.cumsum([0, *map(len, files)])
    np.savez(
        tmp_path / "cifar10_test_jpeg.npz", jpeg=np.concatenate(files), offsets=offsets, y=[3, 1, 2]
    )
    for rows in (None, 2):
        X, y = images.cifar(tmp_path, rows)
        assert (X.shape, X.dtype, y.tolist()) == (
            (rows or 3, 8, 8, 3),
            np.float32,
            [3, 1, 2][:rows],
        )
        np.testing.assert_allclose(X, np.broadcast_to(colors[:rows] / 255, X.shape), atol=0.02)
    digits = rng.integers(0, 256, (4, 784)).astype(np.uint8)
    np.savez(tmp_path / "mnist.npz", X_train=digits, y_train=[1] * 4, X_test=digits, y_test=[2] * 4)
    X, _, X_test, y_test = images.mnist(tmp_path, 3)
    np.testing.assert_allclose(X.reshape(3, 784) * 255, digits[:3], rtol=1e-6)
    assert (X_test.shape, y_test.tolist()) == ((3, 28, 28, 1), [2, 2, 2])


class Invented(images.Runner):
    """Answers at once, with figures that are easy to read in the tables."""

    def __init__(self, quick=False):
        self.quick, self.scratch = quick, "unused"

    def __call__(self, library, net, **more):
        if more.get("task") == "layers":
            return {"layers": {"one": (2e-3, 1e-3), "two": (4e-3, 0.0)}}
        time = 1.0 if library == "skreg" else 0.5 if more.get("channels_last") else 2.0
        found = {"losses": [2.0] * more["epochs"], "seconds": [9.0] + [time] * (more["epochs"] - 1)}
        return found | {"memory": 3 << 20, "test": 99.0, "train": 99.5, "wall": found["seconds"]}


def test_tables_say_what_was_found():
    text = "\n".join(images.steps(Invented())[1])
    assert "| identity, SGD | 20 | 40 | 10 | 0.5 | 3 | 3 | 3 |" in text
    text = "\n".join(images.layers(Invented())[1])
    assert "| one | 2 | 2 | 1 | 50% |" in text
    assert "| two | 4 | 4 | 1 | – |" in text
    text = "\n".join(images.lenet(Invented())[1])
    assert "| skreg, augmentation | 99.50 | 99.00 | 2.0000 | 1.0 |" in text
    text = "\n".join(images.classic(Invented())[1])
    assert "| 20 | 312.50 | 312.50 | 312.50 |" in text


def test_the_command_writes_its_tables(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(images.PARTS, "lenet", lambda run: ({"a": 1}, ["| a table |", ""]))
    files = ["--out", str(tmp_path / "r.json"), "--markdown", str(tmp_path / "r.md")]
    images.main(["--quick", "--parts", "lenet", *files])
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == {"lenet": {"a": 1}}
    assert "QUICK" in (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "| a table |" in capsys.readouterr().out
    job = {"library": "skreg", "net": asdict(TINY), "task": "train", "rows": 32, "data": None,
           "epochs": 1, "start": None, "channels_last": False}  # fmt: skip
    assert len(images.main(["--job", json.dumps(job)])["losses"]) == 1
