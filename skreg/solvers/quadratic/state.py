"""The state of the active-set method between two alphas; a checkpoint is this object.

A `State` holds all that the next alpha starts from, the Cholesky factor included. It is frozen, and
its arrays are shared and never written to, so that a rollback is to take an earlier one again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data.design import Array, Index
from .cholesky import Factor

Sides = NDArray[np.int8]


class Model(NamedTuple):
    """The smooth part ``1/2 w'Gw - c'w``; with a `centre`, that of a proximal point problem."""

    gram: Array
    c: Array
    centre: Array | None = None


class Pattern(NamedTuple):
    """A guess of where each coefficient is: active with a sign, at a bound, or zero.

    Attributes
    ----------
    active : ndarray of int
        The active set, in order of entry.
    sign : ndarray of shape (m,)
        Signs of penalised features that are active or at a bound, else zero.
    side : ndarray of shape (m,)
        +1 at the upper bound, -1 at the lower, else zero.
    """

    active: Index
    sign: Array
    side: Sides


class Predictor(NamedTuple):
    """Coefficients and correlations extrapolated along the path, from those at one alpha.

    They change by `dw` and `dq` while alpha falls by `span`. An `exact` predictor is the path of
    the Lasso up to the next breakpoint; any other is the secant through two solutions.
    """

    alpha: float
    w: Array
    q: Array
    dw: Array
    dq: Array
    span: float
    exact: bool

    def ahead(self, alpha: float, farthest: float) -> float:
        """How many spans ahead this alpha is, on a secant no more than `farthest`."""
        ahead = (self.alpha - alpha) / self.span
        return ahead if self.exact else min(ahead, farthest)

    def at(self, ahead: float) -> tuple[Array, Array]:
        """Coefficients and correlations so many spans ahead."""
        return self.w + ahead * self.dw, self.q + ahead * self.dq


class State(NamedTuple):
    """The solution at the last alpha, and what is known for the next.

    Attributes
    ----------
    alpha : float
        The last alpha, inf before the first.
    model : Model
    w, q : ndarray of shape (m,)
        Coefficients, and correlations ``c - G w`` of the model.
    pattern : Pattern
    predictor : Predictor or None
    factor : Factor
        Of the active set or of one nearby.
    age : int
        Alphas since q was computed from coefficients alone, where it is carried along secants.
    """

    alpha: float
    model: Model
    w: Array
    q: Array
    pattern: Pattern
    predictor: Predictor | None
    factor: Factor
    age: int
