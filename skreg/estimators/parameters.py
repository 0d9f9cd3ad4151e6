"""Parameters of estimators, declared once: default, constraint, type and meaning.

An estimator is a class of fields. `with_parameters` makes its constructor of them, which stores and
nothing else, the constraints that scikit-learn checks, and the list of parameters in its docstring,
in place of the line ``{parameters}``. Parameters that several estimators share stand in a base
class; a subclass declares anew what differs, by ``name: type = default`` where that is the default
alone, and as a ``ClassVar`` what it fixes.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import numbers
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar, dataclass_transform

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

T = TypeVar("T", bound=type)

# Constraints of many parameters.
NOT_NEGATIVE = Interval(numbers.Real, 0, None, closed="left")
SHARE = Interval(numbers.Real, 0, 1, closed="both")
COUNT = Interval(numbers.Integral, 1, None, closed="left")

# Types of values that never change.
PLAIN = {bool, int, float, str}

# Python 3.13 takes the indentation off docstrings, earlier versions leave it.
PLACE = re.compile(r"^( *)\{parameters\}$", re.MULTILINE)


def parameter(
    *,
    default: Any,
    meaning: str = "",
    constraint: Sequence[Any] = ("boolean",),
    kind: str = "bool",
    kw_only: bool = True,
) -> Any:
    """One parameter of an estimator, a switch where nothing else is said.

    Parameters
    ----------
    default : Any
        An immutable object.
    meaning : str
        What it does, in lines that are indented as those of a docstring are.
    constraint : sequence, default=("boolean",)
        What scikit-learn's checks allow.
    kind : str, default="bool"
        Its type as the docstring has it, without the default.
    kw_only : bool, default=True
        Whether it is passed by name only.
    """
    facts = {"constraint": constraint, "kind": kind, "meaning": meaning}
    return dataclasses.field(default=default, kw_only=kw_only, metadata=facts)


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(parameter,))
def with_parameters(cls: T) -> T:
    """Make the constructor, the constraints and the documentation of declared parameters."""
    inherited: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        inherited |= vars(base).get("__dataclass_fields__", {})
    for name, kind in inspect.get_annotations(cls).items():
        default, known = vars(cls).get(name), inherited.get(name)
        if known is None or isinstance(default, dataclasses.Field) or "ClassVar" in str(kind):
            continue
        setattr(cls, name, parameter(default=default, kw_only=known.kw_only, **known.metadata))
    made: Any = dataclasses.dataclass(kw_only=True, eq=False, repr=False)(cls)
    declared = {each.name: each for each in dataclasses.fields(made)}
    made._parameter_constraints = constraints_of(made)
    if made.__doc__:  # none with python -OO
        section = "\n".join(_section(made, declared))
        made.__doc__ = PLACE.sub(lambda found: textwrap.indent(section, found[1]), made.__doc__)
    return made


def constraints_of(cls: Any) -> dict[str, list[Any]]:
    """What scikit-learn's checks allow of each declared parameter."""
    return {each.name: list(each.metadata["constraint"]) for each in dataclasses.fields(cls)}


def _section(cls: type, declared: dict[str, Any]) -> list[str]:
    """The section on parameters: those by position, the class's own, those of its bases."""
    order = [name for base in cls.__mro__ for name in inspect.get_annotations(base)]
    names = sorted(
        (name for name in dict.fromkeys(order) if name in declared),
        key=lambda name: declared[name].kw_only,
    )
    lines = ["Parameters", "----------"]
    for name in names:
        each = declared[name]
        default = f'"{each.default}"' if isinstance(each.default, str) else repr(each.default)
        lines.append(f"{name} : {each.metadata['kind']}, default={default}")
        meaning = inspect.cleandoc(each.metadata["meaning"])
        lines += textwrap.indent(meaning, "    ").splitlines()
    return lines


class CheckedParameters(BaseEstimator):
    """An estimator of which no more is checked than what is not at its default."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    @classmethod
    @functools.cache
    def _defaults(cls) -> dict[str, Any]:
        """Parameters with their defaults, which need no check; where one is not valid, without.

        They are read off the signature of __init__, which takes long and never changes.
        """
        signature = inspect.signature(cls.__init__).parameters
        defaults = {name: signature[name].default for name in super()._get_param_names()}
        try:
            check_parameters(cls._parameter_constraints, defaults, cls.__name__)
        except (TypeError, ValueError):
            return dict.fromkeys(defaults, inspect.Parameter.empty)
        return defaults

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return list(cls._defaults())

    @classmethod
    @functools.cache
    def _arrays(cls) -> set[str]:
        """Parameters that may be any array."""
        return {name for name, rule in cls._parameter_constraints.items() if "array-like" in rule}

    def _validate_params(self) -> None:
        """Check the parameters that are not at their defaults, which takes a while.

        As in scikit-learn, ``set_config(skip_parameter_validation=True)`` leaves it out.
        """
        if get_config()["skip_parameter_validation"]:
            return
        given = {}
        for name, default in self._defaults().items():
            if (value := getattr(self, name)) is default:
                continue
            if type(value) in PLAIN:
                self._check_plain(name, type(value).__name__, value)
            elif type(value) is not np.ndarray or not value.ndim or name not in self._arrays():
                given[name] = value
        if given:
            check_parameters(self._parameter_constraints, given, type(self).__name__)

    @classmethod
    @functools.lru_cache(maxsize=1024)
    def _check_plain(cls, name: str, kind: str, value: Any) -> None:
        """Check a value that never changes: what has passed once is not looked at again.

        The kind tells 1, 1.0 and True apart, which are equal.
        """
        check_parameters(cls._parameter_constraints, {name: value}, cls.__name__)


def check_parameters(
    rules: Mapping[str, Sequence[Any]], given: Mapping[str, Any], caller: str
) -> None:
    """scikit-learn's checks, and that no number is True or False, which Python takes for 1 or 0."""
    validate_parameter_constraints(rules, given, caller)
    for name, value in given.items():
        rule = rules.get(name) if isinstance(value, bool) else None
        if rule and not {"boolean", "verbose"} & set(map(str, rule)):
            raise TypeError(f"{name}={value} is no number, though Python would count it as one")
