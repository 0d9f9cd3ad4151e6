"""Classes as a target: their names, and what each of them weighs."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray


def balanced_weights(
    codes: NDArray[np.intp], weight: NDArray[np.float64] | None, n_classes: int
) -> NDArray[np.float64]:
    """What makes all classes weigh the same; a row of weight k counts k times."""
    totals = np.bincount(codes, weights=weight, minlength=n_classes)
    present = totals > 0
    return np.where(present, totals.sum() / present.sum() / np.where(present, totals, 1.0), 0.0)


def weights_by_class(given: Any, names: NDArray[Any]) -> NDArray[np.float64]:
    """The numbers of a dict by class; a class it lacks has 1."""
    given = {} if given is None else given
    for name, value in given.items():
        if not isinstance(value, numbers.Real) or not 0 <= float(value) < np.inf:
            raise ValueError(
                f"class_weight of {name!r} must be a finite number of at least 0, got {value!r}"
            )
    lacking = [name for name in names.tolist() if name not in given]
    if lacking and len(given) > len(names) - len(lacking):
        raise ValueError(
            f"class_weight has the classes {list(given)}, where y has {names.tolist()}"
        )
    return np.array([given.get(name, 1.0) for name in names.tolist()], dtype=np.float64)
