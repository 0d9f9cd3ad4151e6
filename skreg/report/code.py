"""Python code that makes a page again."""

from __future__ import annotations

import ast
import inspect
import io
import os
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from .request import Request

ADDRESS = re.compile(r" at 0x[0-9a-f]+")
OWN_PACKAGE, HERE = __name__.partition(".")[0], "__main__"


def printed(estimator: Any, longest_array: int = sys.maxsize) -> str:
    """An estimator as Python prints it, in full but for arrays, without addresses in memory."""
    with np.printoptions(threshold=longest_array, edgeitems=2):
        try:
            text = estimator.__repr__(N_CHAR_MAX=sys.maxsize)
        except TypeError:  # not scikit-learn's own
            text = repr(estimator)
    return ADDRESS.sub("", text)


def python_call(request: Request, path: Any, options: dict[str, Any]) -> str:
    """Code that makes the page again; `options` are the other arguments of `skreg.report`.

    What it cannot say stands there by a name, as X and y do: data, an estimator with parts that
    do not print as code, a list of folds.
    """
    splitter = options["cv"] if hasattr(options["cv"], "split") else None
    names = _Names([*(estimator for _, estimator, _ in request.estimators), splitter])
    lines = ["skreg.report(", "    ["]
    for k, (name, estimator, _) in enumerate(request.estimators, start=1):
        text = names.code(estimator)
        note = "" if text else "  # your own: it has parts that do not print as code"
        lines.append(f"        ({name!r}, {text or f'estimator_{k}'}),{note}")
    lines += ["    ],", "    X,", "    y,", f"    path={os.fspath(path)!r},"]
    for key, value in options.items():
        if value is not None or key == "random_state":
            brief = value is None or isinstance(value, (str, int)) or value is splitter
            lines.append(f"    {key}={(names.code(value) if brief else None) or key},")
    return "\n".join(["import skreg", *names.imports(), "", *lines, ")"])


class _Names:
    """What the classes of estimators are called in code: two of one name get one each."""

    def __init__(self, made: list[Any]) -> None:
        kinds = {type(part) for one in made for part in _parts(one)}
        self._called: dict[type, str] = {}
        for kind in sorted(kinds, key=lambda kind: (_rank(kind), _home(kind), kind.__name__)):
            name, package = kind.__name__, _home(kind).partition(".")[0].title()
            while name in self._called.values():
                name = package + name
            self._called[kind] = name
        self._used: set[tuple[str, str]] = set()

    def code(self, value: Any) -> str | None:
        """A value as code, None where what it prints would not make it again."""
        text = printed(value)
        try:
            tree = ast.parse(text, mode="eval")
        except (SyntaxError, ValueError):
            return None
        own: dict[str, set[type]] = defaultdict(set)
        for part in _parts(value):
            own[type(part).__name__].add(type(part))
        used, renamed = set(), {}
        for name in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
            if len(own[name]) == 1:
                (kind,) = own[name]
                renamed[name] = self._called[kind]
                called = "" if name == renamed[name] else f" as {renamed[name]}"
                used.add((_home(kind), name + called))
            elif name == "np":
                used.add(("", "numpy as np"))
            elif not own[name] and hasattr(np, name):  # array, nan, float32
                used.add(("numpy", name))
            else:  # of two homes within one estimator, or unknown
                return None
        self._used |= used
        return _rename(text, renamed)

    def imports(self) -> list[str]:
        """The lines that make the names known, but for what was made in the user's own session."""
        by_home: dict[str, list[str]] = defaultdict(list)
        for home, name in sorted(self._used):
            by_home[home].append(name)
        by_home.pop(HERE, None)
        lines = [f"import {name}" for name in by_home.pop("", [])]
        return lines + [f"from {home} import {', '.join(by_home[home])}" for home in by_home]


def _rank(kind: type) -> int:
    """Who keeps a name that several have."""
    package = _home(kind).partition(".")[0]
    return [HERE, OWN_PACKAGE].index(package) if package in (HERE, OWN_PACKAGE) else 2


def _parts(value: Any) -> Iterator[Any]:
    """An object and all that it is made of and prints, arrays and plain values left out."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _parts(one)
    elif isinstance(value, dict):
        yield from _parts(list(value.values()))
    elif not inspect.isclass(value) and type(value).__module__ not in ("builtins", "numpy"):
        yield value
        if hasattr(value, "get_params"):
            yield from _parts(list(value.get_params(deep=False).values()))


def _home(kind: type) -> str:
    """From where users import a class."""
    names = kind.__module__.split(".")
    modules = (".".join(names[:k]) for k in range(1, len(names) + 1))
    found = (one for one in modules if getattr(sys.modules.get(one), kind.__name__, None) is kind)
    return next(found, HERE)


def _rename(text: str, renamed: dict[str, str]) -> str:
    """Call things otherwise, but not in what is quoted."""
    lines = text.splitlines(keepends=True)
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(text).readline))):
        if token.string in renamed:
            (row, begin), (_, end) = token.start, token.end
            lines[row - 1] = lines[row - 1][:begin] + renamed[token.string] + lines[row - 1][end:]
    return "".join(lines)
