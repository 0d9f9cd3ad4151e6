"""The rules of the house, read from the imports: CONTRIBUTING.md says what each floor is for."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

import skreg

PACKAGE = Path(skreg.__file__).parent

# A module imports from lower floors and from its own, and no circle of imports stands anywhere, not
# even between the files of one folder. The engine of `neural` has floors of its own: a file that is
# named here stands apart from its folder.
FLOORS = {
    "caching": -1,
    "objective": 0,
    "data": 1,
    "solvers": 2,
    "paths": 3,
    "selection": 4,
    "estimators": 5,
    "neural/engine/tiles": 1,
    "neural/engine/layers": 1,
    "neural/engine/images": 1,
    "neural/engine/conv": 1,
    "neural/engine/pooling": 1,
    "neural/engine/normalization": 1,
    "neural/engine/regularizers": 1,
    "neural/engine/constraints": 1,
    "neural/engine/optimizers": 1,
    "neural/engine/augmentation": 1,
    "neural/engine/image_augmentation": 1,
    "neural/engine/weights": 2,
    "neural/engine/network": 2,
    "neural/engine/batches": 3,
    "neural/engine/block_batches": 3,
    "neural/engine/plan": 2,
    "neural/engine/progress": 3,
    "neural/engine/training": 3,
    "neural/engine/full_batch": 3,
    "files": 5,
    "rows": 5,
    "linear": 6,
    "neural": 6,
    "plotting": 6,
    "conversion": 7,
    "__init__": 9,
    "report": 8,
    "command": 10,
    "__main__": 11,
}
REQUIREMENTS = {"numpy", "scipy", "sklearn"}
NUMERICAL = {"numpy", "scipy"}  # floors 0 to 4 know these alone
FIRST_FLOOR_WITH_SKLEARN = 5
OPTIONAL = {  # which rooms, and lazily
    "matplotlib": {"plotting", "command", "report"},
    "pandas": {"command", "paths", "report"},
    "jinja2": {"report"},
    "pyarrow": {"rows", "command"},
    "dask": {"linear", "rows"},
}


class Import(NamedTuple):
    """One imported module: its dotted name, whether inside a function, and the line."""

    target: str
    lazy: bool
    line: int


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def label(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room(parts: tuple[str, ...]) -> str:
    files = ("/".join(parts[:depth]).removesuffix(".py") for depth in (3, 2, 1))
    return next((file for file in files if file in FLOORS), parts[0].removesuffix(".py"))


def imports(path: Path) -> list[Import]:
    """Every import of a file, relative ones resolved, those for type checking alone left out."""
    package = ("skreg", *path.relative_to(PACKAGE).parts[:-1])
    found = []

    def visit(node: ast.AST, lazy: bool) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, lazy, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*base, *((node.module,) if node.module else ())))
            for alias in node.names:
                # `from . import paths` names a module, `from .paths import X` one of its own
                found.append(Import(f"{origin}.{alias.name}", lazy, node.lineno))
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(path.read_text(encoding="utf-8")), False)
    return found


def own_room(target: str) -> str | None:
    """The room of skreg that an import reaches, "__init__" for a public name, None outside."""
    top, *rest = target.split(".")
    if top != "skreg":
        return None
    return room(tuple(rest)) if rest and rest[0] in FLOORS else "__init__"


@pytest.mark.parametrize("path", modules(), ids=label)
def test_a_module_imports_from_lower_floors_only(path):
    here = room(path.relative_to(PACKAGE).parts)
    assert here in FLOORS, f"give {here!r} a floor in FLOORS, and a line in CONTRIBUTING.md"
    for target, _, line in imports(path):
        there = own_room(target)
        if there is None or there == here:
            continue
        if there.split("/")[0] == here.split("/")[0] and FLOORS[there] == FLOORS[here]:
            continue  # neighbours in one folder
        assert FLOORS[there] < FLOORS[here], f"{label(path)}:{line} imports {target} from above"


@pytest.mark.parametrize("path", modules(), ids=label)
def test_a_module_imports_only_what_its_floor_may_know(path):
    here = room(path.relative_to(PACKAGE).parts)
    allowed = REQUIREMENTS if FLOORS[here] >= FIRST_FLOOR_WITH_SKLEARN else NUMERICAL
    for target, lazy, line in imports(path):
        top = target.split(".")[0]
        if top in sys.stdlib_module_names or top == "skreg" or top in allowed:
            continue
        assert here in OPTIONAL.get(top, ()), f"{label(path)}:{line} imports {top}"
        assert lazy, f"{label(path)}:{line} imports {top} at import time, not where it is used"


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in turn; empty where there are none."""
    done: set[str] = set()

    def walk(module: str, way: list[str]) -> list[str]:
        if module in way:
            return way[way.index(module) :]
        if module not in done:
            for target in sorted(graph.get(module, ())):
                found = walk(target, [*way, module])
                if found:
                    return found
            done.add(module)
        return []

    return next((found for module in sorted(graph) if (found := walk(module, []))), [])


def import_graph() -> dict[str, set[str]]:
    """Which module of the package imports which, lazily or not; packages that only gather aside."""
    names = {"skreg." + label(path)[:-3].replace("/", "."): path for path in modules()}
    graph = {}
    for name, path in names.items():
        reached = {target for target, *_ in imports(path)}
        reached |= {target.rpartition(".")[0] for target in reached}
        graph[name] = (reached & set(names)) - {name}
    return graph


def test_no_circle_stands_anywhere():
    assert circle(import_graph()) == []


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]


@pytest.mark.parametrize("path", sorted((PACKAGE / "plotting").glob("*.py")), ids=label)
def test_plotting_knows_results_and_no_estimators(path):
    reached = {own_room(target) for target, *_ in imports(path)}
    forbidden = {"linear", "solvers", "data", "objective"}
    assert forbidden <= set(FLOORS)
    assert not reached & forbidden


def test_every_floor_has_its_module():
    standing = {room(path.relative_to(PACKAGE).parts) for path in modules()}
    assert set(FLOORS) == standing


def test_contributing_has_a_place_for_every_module():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = [path for path in modules() if not path.name.startswith("__")]
    methods = Counter(path.name for path in paths if path.parent.parent.name == "solvers")
    missing = []
    for path in paths:
        whole = f"{path.parent.name}/{path.name}"
        # Of two methods in files of one name the folder says which is meant.
        alone = path.parent.parent.name != "solvers" or methods[path.name] == 1
        if not (f"`{whole}`" in text or (alone and f"`{path.name}`" in text)):
            missing.append(whole)
    assert not missing, f"say in a table of CONTRIBUTING.md what these are for: {missing}"


IMPORT_AND_LOOK = """
import logging, os, sys, warnings
import numpy as np
import scipy, sklearn.linear_model, sklearn.model_selection
from threadpoolctl import threadpool_info

def look():
    loggers = {
        name: logger.handlers
        for name, logger in logging.Logger.manager.loggerDict.items()
        if name.partition(".")[0] == "skreg" and getattr(logger, "handlers", None)
    }
    return {
        "logging handlers": (list(logging.getLogger().handlers), loggers),
        "NumPy error state": (np.geterr(), np.geterrcall()),
        "NumPy print options": repr(np.get_printoptions()),
        "random state": np.random.get_state()[1].tolist(),
        "warning filters": list(warnings.filters),
        "environment": dict(os.environ),
        "threads": [(lib["filepath"], lib["num_threads"]) for lib in threadpool_info()],
        # scikit-learn may have imported some of them already
        "optional packages": sorted({"matplotlib", "pandas", "polars"} & set(sys.modules)),
    }

before = look()
import skreg
after = look()
changed = [name for name in before if before[name] != after[name]]
print("changed:", *changed)
print("matplotlib:", "matplotlib" in sys.modules)
print("threads started:", __import__("threading").active_count() - 1)
"""


def test_importing_skreg_changes_nothing_else():
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_AND_LOOK],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["changed:", "matplotlib: False", "threads started: 0"]
    assert run.stderr == ""


def test_the_rules_catch_a_breach(tmp_path, monkeypatch):
    """The reader of imports sees each form of import, so that the tests above can fail."""
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "solvers").mkdir()
    file = tmp_path / "solvers" / "bad.py"
    file.write_text(
        "from ..linear import Lasso\n"
        "from .. import paths\n"
        "from . import ridge\n"
        "import skreg.plotting\n"
        "def lazily():\n"
        "    import matplotlib.pyplot as plt\n"
        "if TYPE_CHECKING:\n"
        "    import pandas\n"
    )
    assert [(own_room(found.target), found.lazy) for found in imports(file)] == [
        ("linear", False),
        ("paths", False),
        ("solvers", False),
        ("plotting", False),
        (None, True),
    ]
    with pytest.raises(AssertionError, match="from above"):
        test_a_module_imports_from_lower_floors_only(file)
    file.write_text("import sklearn\n")
    with pytest.raises(AssertionError, match="imports sklearn"):
        test_a_module_imports_only_what_its_floor_may_know(file)


# Every solver has it by its contract; the others are variables of types.
IN_MANY_MODULES = {"solve", "P", "S", "T"}


def names_of(node: ast.stmt) -> list[str]:
    """Constants, classes and public functions that a statement of a module defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name] * (not node.name.startswith("_"))
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    found = [one for target in targets if target is not None for one in ast.walk(target)]
    return [one.id for one in found if isinstance(one, ast.Name) and one.id.isupper()]


def test_a_name_stands_for_one_thing():
    """Two modules that define one name mean two things by it: what they share is imported."""
    where: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for name in names_of(node):
                where.setdefault(name, []).append(path.relative_to(PACKAGE).as_posix())
    twice = {name: set(files) for name, files in where.items() if len(set(files)) > 1}
    assert not {name: files for name, files in twice.items() if name not in IN_MANY_MODULES}


def private_uses(path: Path) -> set[tuple[str, int]]:
    """Private attributes of anything but the object itself, with their lines."""
    return {
        (node.attr, node.lineno)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    }


def test_what_a_design_is_made_of_is_read_in_its_own_folder_alone():
    inside = {node for path in (PACKAGE / "data").glob("*.py") for node in defined_on_self(path)}
    assert "_X" in inside
    for path in modules():
        if path.parent != PACKAGE / "data":
            seen = {(name, line) for name, line in private_uses(path) if name in inside}
            assert not seen, f"{label(path)} reads the inside of a design: {sorted(seen)}"


def defined_on_self(path: Path) -> set[str]:
    """Names of the private attributes and methods of a file's classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        if isinstance(node, ast.ClassDef):
            found |= {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    return {name for name in found if name.startswith("_") and not name.startswith("__")}


# Certificates and methods of the quadratic problem, which are made of the penalty's arrays.
READS_PENALTIES = {"quadratic", "group", "optimality.py", "rounding.py", "iterative.py"}


def test_only_the_quadratic_problem_reads_the_arrays_of_a_penalty():
    rooms = ("solvers", "paths", "selection", "linear")
    for path in (file for one in rooms for file in (PACKAGE / one).rglob("*.py")):
        if READS_PENALTIES & {path.name, path.parent.name}:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        found = {
            (node.attr, node.lineno)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr in ("l1", "l2", "lower", "upper")
            and id(node) not in called  # "text".lower()
        }
        assert not found, f"{label(path)} reads the arrays of a penalty: {sorted(found)}"
