"""The benchmark measures what it says: gaps, the libraries' objectives, a tiny run, a comparison.

No test here looks at a time.
"""

import copy
import importlib.util
import json
import os
import sys
from functools import partial

import numpy as np
import pytest
from scipy import optimize, sparse
from scipy.special import logsumexp

import skreg
from benchmarks import (
    compare,
    glm,
    measure,
    multinomial,
    multitask,
    pictures,
    problems,
    results,
    run,
    suites,
    tables,
)
from benchmarks.gaps import conjugate, largest_gap, relative_gaps
from benchmarks.libraries import quietly
from benchmarks.peers import LIBRARIES
from benchmarks.suites import SUITES, Cell, Setting, linear
from benchmarks.uses import Use
from benchmarks.workers import Worker, WorkerError

# The interpreter of the peers, where they have an environment of their own.
PEERS_PYTHON = os.environ.get("SKREG_BENCH_PYTHON", sys.executable)


def problem(option="", l1_ratio=1.0, n=60, p=8, **more):
    rng = np.random.default_rng(3)
    return linear(n, p, 0.5, 6, rng, option=option, l1_ratio=l1_ratio, **more)


@pytest.mark.parametrize("l1", [0.0, 0.7])
@pytest.mark.parametrize("l2", [0.3, 2.0])
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (-0.5, 1.0), (0.0, np.inf)])
def test_the_conjugate_is_the_largest_value_on_a_grid(l1, l2, bounds):
    q = np.linspace(-3, 3, 13)
    w = np.append(np.linspace(max(bounds[0], -12), min(bounds[1], 12), 200_001), 0.0)
    brute = [np.max(each * w - l1 * np.abs(w) - l2 / 2 * w**2) for each in q]
    np.testing.assert_allclose(conjugate(q, l1, l2, *bounds), brute, atol=1e-7)


def test_the_conjugate_without_l2_is_infinite_beyond_an_open_side():
    found = conjugate(np.array([-2.0, -0.5, 0.5, 2.0]), 1.0, 0.0, -np.inf, 3.0)
    np.testing.assert_array_equal(found, [np.inf, 0.0, 0.0, 3.0])


def minimum(given, alpha):
    """The smallest objective, by a general solver on positive and negative parts."""
    X, y, p = given.X, given.y, given.X.shape[1]
    share = np.full(len(y), 1 / len(y)) if given.weights is None else given.weights
    share = share / share.sum()
    factors = np.ones(p) if given.factors is None else given.factors

    def objective(parts):
        w, b = parts[:p] - parts[p : 2 * p], parts[-1]
        r = y - X @ w - b
        l1, l2 = alpha * given.l1_ratio * factors, alpha * (1 - given.l1_ratio) * factors
        value = share @ r**2 / 2 + l1 @ (parts[:p] + parts[p : 2 * p]) + l2 @ w**2 / 2
        slope = -X.T @ (share * r) + l2 * w
        return value, np.concatenate([slope + l1, l1 - slope, [-share @ r]])

    top = np.full(p, np.inf) if given.upper is None else given.upper
    low = np.full(p, np.inf) if given.lower is None else -given.lower
    box = [(0, bound) for bound in (*top, *low)] + [(None, None)]
    options = {"ftol": 1e-16, "gtol": 1e-12, "maxiter": 10_000, "maxfun": 100_000}
    found = optimize.minimize(
        objective, np.zeros(2 * p + 1), jac=True, bounds=box, method="L-BFGS-B", options=options
    )
    w = found.x[:p] - found.x[p : 2 * p]
    return (
        found.fun,
        w,
        found.x[-1],
        lambda w, b: objective(np.concatenate([np.maximum(w, 0), np.maximum(-w, 0), [b]]))[0],
    )


@pytest.mark.parametrize("option", ["", "weights", "factors", "bounds", "positive"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_a_gap_bounds_the_distance_from_the_minimum_and_closes_there(option, l1_ratio):
    given = problem(option, l1_ratio)
    alpha = given.alphas[2]
    least, w, b, objective = minimum(given, alpha)
    judge = partial(
        relative_gaps, given.X, given.y, l1_ratio=l1_ratio, weights=given.weights,
        factors=given.factors, lower=given.lower, upper=given.upper,
    )  # fmt: skip
    unit = np.cov(given.y, aweights=given.weights, bias=True)
    rng = np.random.default_rng(0)
    low = -np.inf if given.lower is None else given.lower
    high = np.inf if given.upper is None else given.upper
    for size in (0.0, 1e-3, 0.1, 1.0):
        tried = np.clip(w + size * rng.standard_normal(len(w)), low, high)
        gap = judge(tried[:, None], [b + size], [alpha])[0]
        assert gap >= (objective(tried, b + size) - least) / unit - 1e-12
    assert judge(w[:, None], [b], [alpha])[0] < 1e-6
    if option in ("bounds", "positive"):
        assert judge(np.full((len(w), 1), -9.0), [b], [alpha])[0] == np.inf


def test_gaps_are_those_of_skreg_on_a_path_and_of_ridge():
    given = problem("weights", 0.5)
    estimator = skreg.ElasticNet(l1_ratio=0.5)
    path = skreg.regularization_path(
        estimator, given.X, given.y, alphas=given.alphas, sample_weight=given.weights
    )
    for X in (given.X, sparse.csc_matrix(given.X)):
        gaps = relative_gaps(
            X, given.y, path.coefs, path.intercepts, path.alphas,
            l1_ratio=0.5, weights=given.weights,
        )  # fmt: skip
        np.testing.assert_allclose(gaps, path.dual_gaps, atol=1e-12)
    Y = np.column_stack([given.y, given.X[:, 0]])
    ridge = skreg.Ridge(alpha=3.0).fit(given.X, Y, given.weights)
    gaps = relative_gaps(
        given.X, Y, ridge.coef_.T, ridge.intercept_, 3.0, l1_ratio=None, weights=given.weights
    )
    assert np.all(np.abs(gaps) < 1e-12)
    moved = relative_gaps(given.X, Y, ridge.coef_.T + 0.1, ridge.intercept_, 3.0, l1_ratio=None)
    assert np.all(moved > 1e-4)


@pytest.mark.parametrize("make", ["dense", "sparse", "targets"])
def test_a_problem_survives_the_way_to_a_worker(make, tmp_path):
    given = problem("weights", task="cv", order="F")
    if make == "sparse":
        X = problems.sparse_design(40, 30, 0.2, np.random.default_rng(0), "normal")
        given = suites.given(X, np.arange(40.0), 5)
    elif make == "targets":
        given = suites.ridge_problem(40, 5, 4, 3, 5, np.random.default_rng(0))
    problems.save(given, tmp_path)
    back = problems.load(tmp_path)
    assert (back.task, back.l1_ratio) == (given.task, given.l1_ratio)
    for name in ("y", "alphas", "weights", "factors", "folds"):
        np.testing.assert_array_equal(getattr(back, name), getattr(given, name), strict=True)
    if make == "sparse":
        assert (back.X != given.X).nnz == 0
    else:
        np.testing.assert_array_equal(back.X, given.X)
        assert back.X.flags.f_contiguous
    assert back.shrunk().task == given.task


def test_designs_have_the_correlations_they_are_named_for():
    rng = np.random.default_rng(0)
    near = partial(np.testing.assert_allclose, atol=0.05)
    near(np.corrcoef(problems.equicorrelated(5000, 3, 0.5, rng).T), 0.5 + 0.5 * np.eye(3))
    lags = np.abs(np.subtract.outer(range(4), range(4)))
    near(np.corrcoef(problems.toeplitz(5000, 4, 0.9, rng).T), 0.9**lags)


@pytest.mark.parametrize("suite", SUITES)
def test_cells_have_names_of_their_own_and_build_the_same_problem_twice(suite):
    cells = list(SUITES[suite](Setting(quick=True)))
    assert len({cell.name for cell in cells}) == len(cells) > 0
    first, again = cells[0].problem(), cells[0].problem()
    np.testing.assert_array_equal(first.y, again.y)
    names = {cell.name for cell in cells}
    assert all(cell.plain in names for cell in cells if cell.plain)


# Those with a linear model: glmnet's methods are in R.
LINEAR = [name for name, kind in LIBRARIES.items() if hasattr(kind, "path") or name == "glmnet"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.exhaustive] * (name != "scikit-learn"))
        for name in LINEAR
        if name != "skreg"
    ],
)
def test_each_peer_solves_the_same_objective(name):
    kinds = [problem(), problem("weights"), problem("factors"), problem("", 0.5)]
    kinds += [problem("bounds"), problem("positive"), problem(n=30, p=40), problem(task="cv")]
    X = problems.sparse_design(80, 30, 0.3, np.random.default_rng(0))
    kinds.append(suites.given(X, X @ problems.decaying(30) + np.arange(80) % 3, 6))
    for task, ratio in (("mt_path", 1.0), ("mt_path", 0.5), ("mt_fit", 1.0)):
        rng = np.random.default_rng(0)
        kinds.append(multitask.generated(80, 12, 3, 0.3, 6, task, ratio, rng))
    with Worker(name, PEERS_PYTHON, 1) as worker:
        if "absent" in worker.start():
            pytest.skip(f"{name} is not installed")
        worker.library.ladder = worker.library.ladder[-1:]  # the tightest
        solved = 0
        for given in kinds:
            judge = multitask.largest_gap if given.task.startswith("mt_") else largest_gap
            cell = Cell("", "", lambda rng, given=given: given, judge=judge)
            found = measure.measure(cell, [worker], repeats=1, limit=60)["solvers"][name]
            if found["note"].startswith("skipped"):
                continue
            solved += 1
            assert found["note"] == ""
            assert -1e-10 < min(each["gap"] for each in found["runs"]) <= 1e-6
    assert solved >= 5


EVERYDAY = {cell.name.split(",")[0]: cell for cell in SUITES["everyday"](Setting(quick=True))}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("row", EVERYDAY)
@pytest.mark.parametrize("name", ["skreg", "scikit-learn"])
def test_everyday_work_is_done_and_judged(row, name):
    given = EVERYDAY[row].problem()
    read, seconds = quietly(LIBRARIES[name](1).everyday, given, 1e-6, "default")
    assert EVERYDAY[row].judge(given, read()) < 1e-4
    assert seconds > 0


def test_everyday_work_takes_every_form_of_x():
    X, y = np.arange(12.0).reshape(4, 3), np.arange(4.0)
    forms = {layout: Use("Lasso", layout=layout, dtype="float32").form(X, y)
             for layout in ("C", "F", "strided", "frame")}  # fmt: skip
    for found, target in forms.values():
        np.testing.assert_array_equal(np.asarray(found), X.astype("float32"), strict=True)
        assert target.dtype == np.float32
    flags = {layout: found.flags for layout, (found, _) in forms.items() if layout != "frame"}
    assert flags["C"].c_contiguous
    assert flags["F"].f_contiguous
    assert not flags["strided"].c_contiguous
    assert not flags["strided"].f_contiguous
    assert list(forms["frame"][0].columns) == ["x0", "x1", "x2"]
    csr, _ = Use("Lasso", layout="CSR").form(sparse.csc_matrix(X), y)
    assert csr.format == "csr"


@pytest.mark.exhaustive
def test_cells_with_a_faster_peer_are_measured_again(monkeypatch, tmp_path):
    monkeypatch.setattr(results, "ratio", lambda cell, gap: 0.5)
    words = ["--suite", "everyday", "--cells", "^Ridge, 442x10", "--quick", "--repeats", "1"]
    found = run.main([*words, "--peers", "scikit-learn", "--out", str(tmp_path / "r.json")])
    cells = found["suites"]["everyday"]
    assert [cell["again"] for cell in cells] == [0.5]
    assert all(each["note"] == "" for cell in cells for each in cell["solvers"].values())
    text = tables.markdown(found)
    assert "| again |" in text
    assert "| Ridge | 1 | 0.5 / 0.5 |" in text


def test_a_worker_that_fails_says_how_and_can_go_on(tmp_path):
    problems.save(problem(), tmp_path)
    with Worker("scikit-learn", sys.executable, 1) as worker:
        with pytest.raises(WorkerError, match="error: FileNotFoundError"):
            worker.ask(f"load {tmp_path / 'nowhere'}", 60)
        worker.ask(f"load {tmp_path}", 60)
        with pytest.raises(WorkerError, match="timeout"):
            worker.ask("run default 1e-4 1000000000 0", 0.2)
        worker.ask(f"load {tmp_path}", 60)  # a new process
        worker.process.kill()
        with pytest.raises(WorkerError, match="crash"):
            worker.ask("run default 1e-4 1 0", 60)
    assert "absent" in Worker("celer", str(tmp_path / "python"), 1).start()


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    arguments = ["--suite", "path", "cv", "--peers", "scikit-learn", "--quick", "--repeats", "2"]
    pattern = "^(lasso|weights) 5000x100( rho=0.5)?$|^1000x100$"
    files = ["--out", str(folder / "r.json"), "--markdown", str(folder / "r.md")]
    run.main([*arguments, "--cells", pattern, *files])
    return folder


def test_a_tiny_run_ends_in_json_a_table_and_pictures(result):
    stored = results.read(result / "r.json")
    assert set(stored["versions"]) == {"skreg", "scikit-learn"}
    assert stored["machine"]["cores"] >= 1
    assert {suite: len(cells) for suite, cells in stored["suites"].items()} == {"path": 2, "cv": 1}
    for cell in (cell for cells in stored["suites"].values() for cell in cells):
        assert results.ours(cell)["gap"] <= 1e-10
        assert results.best_peer(cell, 1e-6)[0] == "scikit-learn"
        assert results.ratio(cell, 1e-4) > 0
        assert all(solver["note"] == "" for solver in cell["solvers"].values())
    assert results.curve_error(stored["suites"]["cv"][0], "scikit-learn") < 1e-2
    text = (result / "r.md").read_text(encoding="utf-8")
    assert "QUICK" in text
    assert all(f"| {name} |" in text for name in ("lasso 5000x100 rho=0.5", "weights 5000x100"))
    if importlib.util.find_spec("matplotlib"):
        names = {file.name for file in result.glob("*.png")}
        assert {"r-path-ratio.png", "r-path-lasso-gap.png", "r-cv-ratio.png"} <= names


def test_compare_tells_slower_from_faster_and_unlike_runs(result, capsys):
    old = results.read(result / "r.json")
    new = copy.deepcopy(old)
    new["threads"] = 2
    for cell, factor in zip(new["suites"]["path"], (2.0, 0.5), strict=True):
        for each in cell["solvers"]["skreg"]["runs"]:
            each["seconds"] = [factor * second for second in each["seconds"]]
    (result / "new.json").write_text(json.dumps(new), encoding="utf-8")
    compare.main([str(result / "r.json"), str(result / "new.json")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "not alike, threads: 1 then, 2 now"
    assert [line.split(" | ")[3] for line in lines if " | 2.00 |" in line] == ["2.00"]
    assert sum("SLOWER" in line for line in lines) == sum("| faster" in line for line in lines) == 1
    assert lines[-1] == "3 cells: 1 slower and 1 faster by more than 10%"
    assert compare.compare(old, {**old, "suites": {}}) == "no cell is in both files"


def invented(gap=1e-12, note="", size=None, seconds=1.0):
    each = {"variant": "default", "tol": 1e-4, "seconds": [seconds, 9.0], "gap": gap}
    each |= {"nonzeros": 3, "memory": 0, "curve": []}
    solvers = {"skreg": {"note": note, "runs": [] if note else [each]}}
    solvers["celer"] = {"note": "crash: why", "runs": []}
    return {"name": "c", "group": "g", "task": "path", "plain": "", "size": size,
            "bytes": 8, "solvers": solvers}  # fmt: skip


def test_tables_and_pictures_take_what_went_wrong(tmp_path):
    cells = [invented(), invented(gap=0.5), invented(note="timeout: over 1 s")]
    text = "\n".join(tables.suite_tables("path", cells))
    assert "- c, celer: crash: why" in text
    assert "timeout: over 1 s" in text
    pictures.draw({"suites": {"path": cells, "cv": []}}, tmp_path / "r")


def test_the_slope_is_that_of_a_power():
    cells = [invented(size=["n", n], seconds=1e-3 * n**1.5) for n in (10, 20, 40)]
    assert results.slopes(cells)["n"]["skreg"] == pytest.approx(1.5)


def test_a_picture_shows_how_times_grow():
    pytest.importorskip("matplotlib")
    cells = [invented(size=["p, LassoCV, 9 rows", p], seconds=1e-3 * p**2) for p in (10, 20, 40)]
    figure = pictures.growth("scaling", [*cells, invented(note="timeout", size=["n", 1])])
    (axes,) = [axes for axes in figure.axes if axes.get_visible()]
    assert axes.get_title() == "LassoCV, 9 rows"
    assert axes.lines[0].get_xydata().tolist() == [[10, 100.0], [20, 400.0], [40, 1600.0]]
    assert [text.get_text() for text in axes.texts] == ["×4.0", "×4.0"]
    assert pictures.growth("scaling", [invented(note="timeout", size=["n", 1])]) is None


def test_an_unknown_name_is_refused():
    for words in (["--suite", "nothing"], ["--suite", "path", "--peers", "nothing"]):
        with pytest.raises(SystemExit):
            run.main([*words, "--out", "unused.json"])


@pytest.mark.parametrize(
    ("loss", "l1_ratio"), [("logistic", 1.0), ("logistic", 0.5), ("poisson", 1.0)]
)
def test_gaps_of_generalized_models_bound_the_excess_of_the_objective(loss, l1_ratio):
    rng = np.random.default_rng(0)
    problem = glm.generated(80, 6, 0.3, 5, loss, l1_ratio, rng)
    answer = LIBRARIES["skreg"]().glm_path(problem, 1e-10, "default")()
    assert glm.largest_gap(problem, answer) <= 1e-9

    def objective(w, b, alpha):
        eta = problem.X @ w + b
        rows = np.logaddexp(0, eta) if loss == "logistic" else np.exp(eta)
        penalty = l1_ratio * np.abs(w).sum() + (1 - l1_ratio) / 2 * w @ w
        return (rows - problem.y * eta).mean() + alpha * penalty

    for w, b, alpha in zip(answer.coefs.T, answer.intercepts, answer.alphas, strict=True):
        for size in (1e-4, 1e-2, 0.3):
            moved, shift = w + size * rng.standard_normal(6), b + size * rng.standard_normal()
            unit = 4.0  # more than any null deviance here
            excess = (objective(moved, shift, alpha) - objective(w, b, alpha)) / unit
            assert excess <= glm.gap(problem, moved, shift, alpha) + 1e-12


def test_gaps_of_several_classes_bound_the_excess_of_the_objective():
    rng = np.random.default_rng(0)
    problem = multinomial.generated(90, 6, 3, 0.3, 4, rng)
    answer = LIBRARIES["skreg"]().glm_path(problem, 1e-10, "default")()
    assert multinomial.largest_gap(problem, answer) <= 1e-9
    Y = multinomial.indicators(problem.y)
    unit = -2.0 * Y.mean(axis=0) @ np.log(Y.mean(axis=0))

    def objective(W, b, alpha):
        eta = problem.X @ W + b
        rows = logsumexp(eta, axis=1) - (Y * eta).sum(axis=1)
        return rows.mean() + alpha * np.abs(W).sum()

    W = answer.coefs.reshape(6, 4, 3).transpose(1, 0, 2)
    for w, b, alpha in zip(W, answer.intercepts.reshape(4, 3), answer.alphas[::3], strict=True):
        for size in (1e-4, 1e-2, 0.3):
            moved = w + size * rng.standard_normal(w.shape)
            shift = multinomial.best_intercepts(problem.X @ moved, Y.mean(axis=0), b)
            excess = (objective(moved, shift, alpha) - objective(w, b, alpha)) / unit
            assert excess <= multinomial.gap(problem, Y, moved, b, alpha) + 1e-12


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_gaps_of_several_targets_targets_bound_the_excess_of_the_objective(l1_ratio):
    rng = np.random.default_rng(0)
    problem = multitask.generated(60, 8, 3, 0.3, 5, "mt_path", l1_ratio, rng)
    answer = LIBRARIES["skreg"]().mt_path(problem, 1e-10, "default")()
    assert multitask.largest_gap(problem, answer) <= 1e-10
    unit = ((problem.y - problem.y.mean(axis=0)) ** 2).sum() / 60

    def objective(W, b, alpha):
        size = np.linalg.norm(W, axis=1)
        penalty = l1_ratio * size.sum() + (1 - l1_ratio) / 2 * size @ size
        return ((problem.y - b - problem.X @ W) ** 2).sum() / 120 + alpha * penalty

    W = answer.coefs.reshape(8, 5, 3).transpose(1, 0, 2)
    for w, b, alpha in zip(W, answer.intercepts.reshape(5, 3), answer.alphas[::3], strict=True):
        for size in (1e-4, 1e-2, 0.3):
            moved, shift = (a + size * rng.standard_normal(a.shape) for a in (w, b))
            excess = (objective(moved, shift, alpha) - objective(w, b, alpha)) / unit
            assert excess <= multitask.gap(problem, moved, shift, alpha) + 1e-12


def test_the_loss_of_a_problem_travels_to_the_worker(tmp_path):
    problem = glm.generated(40, 3, 0.0, 4, "poisson", 1.0, np.random.default_rng(0))
    problems.save(problem, tmp_path)
    assert problems.load(tmp_path).loss == "poisson"
    assert problems.load(tmp_path).task == "glm_path"
