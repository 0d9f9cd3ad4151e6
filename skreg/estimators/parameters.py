"""Parameters of an estimator: their names and defaults, read once, and their checks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_parameter_constraints

from .validation import refuse_booleans

F = TypeVar("F", bound=Callable[..., Any])


class CheckedParameters(BaseEstimator):
    """An estimator of which no more is checked than what is not at its default."""

    _parameter_constraints: dict[str, Any]

    @classmethod
    @functools.cache
    def _names(cls) -> tuple[str, ...]:
        # Read off the signature of __init__, which takes long and never changes.
        return tuple(super()._get_param_names())

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return list(cls._names())

    @classmethod
    @functools.cache
    def _sound_defaults(cls) -> dict[str, Any]:
        """The defaults of the parameters, if all are valid: what need not be checked again."""
        signature = inspect.signature(cls.__init__)
        defaults = {name: one.default for name, one in signature.parameters.items()}
        try:
            validate_parameter_constraints(cls._parameter_constraints, defaults, cls.__name__)
        except ValueError:
            return {}
        return defaults

    def _validate_params(self) -> None:
        """Check the parameters that are not at their defaults, which takes a while."""
        defaults, unknown = self._sound_defaults(), object()
        given = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if value is not defaults.get(name, unknown)
        }
        if given:
            refuse_booleans(self._parameter_constraints, given)
            validate_parameter_constraints(
                self._parameter_constraints, given, caller_name=type(self).__name__
            )


def parameters_checked(fit: F) -> F:
    """Check the parameters first, unless scikit-learn's configuration says not to.

    scikit-learn's `_fit_context` also turns off such checks in what `fit` calls, which takes twice
    as long as the checks themselves: this is for a `fit` that calls nothing with any.
    """

    @functools.wraps(fit)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()
        return fit(self, *args, **kwargs)

    return cast(F, checked)
