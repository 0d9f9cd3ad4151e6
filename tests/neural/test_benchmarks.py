"""The benchmark of networks: every library trains the net that it is asked for, on its own clock.

No test here looks at a time.
"""

import copy
import importlib.util
import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import measure, network_tables, networks, pictures, problems, results, run, tables
from benchmarks.network_tables import PRODUCTS
from benchmarks.networks import Net
from benchmarks.suites import Cell, learned, network
from benchmarks.workers import Worker

# The interpreter of the peers, where they have an environment of their own.
PEERS_PYTHON = os.environ.get("SKREG_BENCH_PYTHON", sys.executable)
LIBRARIES = (
    "skreg",
    "scikit-learn",
    pytest.param("scikit-learn float32", marks=pytest.mark.exhaustive),
    "PyTorch",
    PRODUCTS,
)


def cell(net):
    return Cell("n", "g", lambda rng: network(6, net, np.random.default_rng(0)), judge=learned)


@pytest.mark.parametrize("name", LIBRARIES)
def test_each_library_trains_the_net_or_says_why_not(name):
    python = sys.executable if name in ("skreg", PRODUCTS) else PEERS_PYTHON
    with Worker(name, python, 1) as worker:
        if "absent" in worker.start():
            pytest.skip(f"{name} is not installed")
        for dropout in (0.0, 0.5):
            net = Net((16,), 20, dropout, 6)
            found = measure.measure(cell(net), [worker], repeats=2, limit=60)
            outcome = found["solvers"][name]
            assert found["steps"] == 5 * networks.STEPS
            if dropout and name.startswith("scikit-learn"):
                assert outcome["note"] == "skipped: no dropout"
            elif name == PRODUCTS:
                assert all(each["gap"] > 0.1 for each in outcome["runs"])
                assert network_tables.step(found, name) > 0
            else:
                assert outcome["note"] == ""
                assert {each["gap"] for each in outcome["runs"]} == {0.0}
                assert network_tables.step(found, name) > 0


def test_the_judge_knows_a_net_that_has_not_learned():
    y = np.arange(1000) % networks.CLASSES
    equal = np.full((1000, networks.CLASSES), 1 / networks.CLASSES)
    right = np.eye(networks.CLASSES)[y]
    assert networks.shortfall(y, equal) == pytest.approx(1 / 0.9 - 1)
    assert networks.shortfall(y, 0.8 * equal + 0.2 * right) == 0
    assert networks.shortfall(y, np.roll(right, 1, axis=1)) > 1


@pytest.mark.parametrize("threads", [1, 2])
def test_the_clock_counts_what_the_first_epoch_does_not_have(threads):
    calls = []

    def train(epochs):
        calls.append(epochs)
        return epochs

    trained, taken = networks.seconds(train, 7, threads)
    assert (trained, calls) == (7, [1, 1, 1, 7])
    assert taken > 0


def test_a_net_survives_the_way_to_a_worker(tmp_path):
    given = network(6, Net((16, 8), 20, 0.25, 3), np.random.default_rng(0))
    problems.save(given, tmp_path)
    back = problems.load(tmp_path)
    assert back.net == given.net
    assert back.X.flags.c_contiguous
    np.testing.assert_array_equal(back.X, given.X)
    assert back.shrunk().net == replace(given.net, epochs=2)


def test_the_nets_are_those_of_the_table():
    named = {name: (plain, features, net) for name, plain, features, net in networks.cells()}
    assert len(named) == 12
    plain, features, net = named["784-(512,512)-10 batch 128, dropout 0.5"]
    assert plain in named
    assert (features, net.hidden, net.batch, net.dropout) == (784, (512, 512), 128, 0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    arguments = ["--suite", "mlp", "--quick", "--repeats", "1", "--cells", "^20-.*batch 32"]
    arguments += ["--peers", "scikit-learn", PRODUCTS, "--out", str(folder / "r.json")]
    run.main([*arguments, "--markdown", str(folder / "r.md")])
    return folder


def test_a_tiny_run_ends_in_a_table_of_steps_and_a_picture(folder):
    plain, dropped = results.read(folder / "r.json")["suites"]["mlp"]
    text = (folder / "r.md").read_text(encoding="utf-8")
    assert f"| microseconds a step | skreg | scikit-learn | {PRODUCTS} |" in text
    for each in (plain, dropped):
        assert f"| {each['name']} | {network_tables.microseconds(each, 'skreg')} |" in text
    assert network_tables.microseconds(dropped, "scikit-learn") == "–"
    assert results.best_peer(plain, 1e-4)[0] == "scikit-learn"
    assert results.best_peer(dropped, 1e-4) is None  # the products are no peer
    if importlib.util.find_spec("matplotlib"):
        assert [file.name for file in folder.glob("*.png")] == ["r-mlp-steps.png"]


def invented(skreg=100e-6, products=60e-6, gap=0.0, **more):
    def outcome(seconds, gap):
        each = {"seconds": [50 * seconds, 1.0], "gap": gap, "tol": 1e-4, "variant": "default"}
        return {"note": "", "runs": [each]}

    solvers = {"skreg": outcome(skreg, gap), "PyTorch": outcome(2 * 100e-6, 0.0)}
    solvers[PRODUCTS] = outcome(products, 0.1)
    return {"name": "a", "group": "g", "task": "net_steps", "plain": "", "size": None,
            "steps": 50, "solvers": solvers, **more}  # fmt: skip


def test_ratios_shares_and_what_dropout_adds():
    plain = invented()
    dropped = invented(110e-6, name="b", plain="a")
    text = "\n".join(network_tables.network_tables("mlp", [plain, dropped]))
    assert "| a | 2 | 60% | – |" in text
    assert "| b | 1.8 | 55% | 10% |" in text
    assert "| PyTorch | 2 | 1.9 | 1.8 |" in text


def test_a_net_that_did_not_learn_has_no_time(tmp_path):
    failed = invented(gap=0.3)
    assert network_tables.step(failed, "skreg") is None
    crashed = copy.deepcopy(failed)
    crashed["solvers"]["skreg"] = {"note": "crash: why", "runs": []}
    assert tables.every_solver(crashed, "skreg") == "crash"
    assert "- a, skreg: crash: why" in "\n".join(tables.suite_tables("mlp", [crashed]))
    pictures.draw({"suites": {"mlp": [failed, crashed]}}, tmp_path / "r")
