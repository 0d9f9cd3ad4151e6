"""Designs whose Gram matrix is known from moments: of rows at hand, and of rows that are not.

Rows that are not at hand stay where they are, in a file or on another machine: their moments, added
up block by block, are all that a solver on the Gram matrix needs.
"""

from __future__ import annotations

import math
from typing import Any, Never, Self

import numpy as np

from .dense import DenseDesign
from .design import Design
from .moments import MomentMatrix
from .products import CONSTANT, NONE_FAR, Array, Index

# A column or target with less than this share of its variance left in the rows is made anew: what
# is left has lost as many digits.
LEFT = 1e-4
# More columns than this share of all are not made anew one by one: the rows have their own moments.
MANY_LOST = 0.25
NO_ROWS = "a design made from moments has no rows"
# What a design has of its rows.
OF_ROWS = ("_X", "_compared", "omega")


class MomentsDesign(Design):
    """The design of rows of which nothing is at hand but their moments.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        With zeros for constant columns.
    n_samples : int
    mean, inv_scale : ndarray of shape (n_features,) or None
        See `Design`.
    shift : ndarray of shape (n_features,)
        Means less the reference of the moments, in units of Z: rounding is relative to these.
    """

    has_rows = False

    def __init__(
        self,
        gram: Array,
        n_samples: int,
        mean: Array | None,
        inv_scale: Array | None,
        shift: Array,
    ) -> None:
        self.n_samples, self.n_features, self.dtype = n_samples, len(gram), gram.dtype
        self.mean, self.inv_scale, self.far = mean, inv_scale, NONE_FAR
        self._shift = shift
        self._kept = {}
        self.use_gram(gram)
        self.sizes = np.sqrt(self.variances + shift**2)

    def __getattr__(self, name: str) -> Any:
        if name in OF_ROWS or hasattr(Design, name):  # a property that looked for the rows
            raise AttributeError(f"{NO_ROWS}, and so no {name!r}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        return vars(self)

    @classmethod
    def of(
        cls,
        moments: MomentMatrix,
        n_samples: int,
        *,
        center: bool = True,
        standardize: bool = False,
    ) -> tuple[Self, Array, Array, Array]:
        """The design; correlations, (n_features, n_targets), means and mean squares of the targets.

        Parameters
        ----------
        moments : MomentMatrix
            Digits are lost where their reference is far from the means.
        n_samples : int
            How many rows they are of.
        center, standardize : bool
            See `design_of`.
        """
        p = moments.n_features
        if not center:
            moments = moments.about(np.zeros_like(moments.reference))
        shift, variances, second = _by_weight(moments, center)
        mean = shift + moments.reference if center else np.zeros_like(shift)
        squares = second.diagonal()[p:].copy()
        nothing = squares <= (CONSTANT * mean[p:]) ** 2
        second[:p, p:][:, nothing] = squares[nothing] = 0.0
        G, c, inv_scale = _scaled(second, mean[:p], variances[:p], center, standardize)
        shift = shift[:p] if inv_scale is None else shift[:p] * inv_scale
        design = cls(G, n_samples, mean[:p] if center else None, inv_scale, shift)
        return design, c, mean[p:], squares

    def subset(self, index: Index) -> MomentsDesign:
        """The design of some features."""
        mean, inv_scale = (None if v is None else v[index] for v in (self.mean, self.inv_scale))
        gram = self.gram()[np.ix_(index, index)]
        return MomentsDesign(gram, self.n_samples, mean, inv_scale, self._shift[index])

    of_features = subset

    def square_root(self) -> DenseDesign:
        """A design of as many rows as the Gram matrix has rank, which has the same one."""
        d, V = np.linalg.eigh(self.gram())
        kept = d > len(d) * np.finfo(np.float64).eps * d[-1:]
        rows = (V[:, kept] * np.sqrt(d[kept])).T if kept.any() else np.zeros((1, len(d)))
        n = len(rows)
        return DenseDesign(math.sqrt(n) * rows, np.full(n, 1.0 / n))

    def _no_rows(self, *args: Any, **kwargs: Any) -> Never:
        """Refuse what only rows can answer; the registry refuses solvers that ask for it."""
        raise AttributeError(NO_ROWS)

    joined = cross_gram = _gathered = _equal = _no_rows


def _by_weight(moments: MomentMatrix, center: bool) -> tuple[Array, Array, Array]:
    """Means less the reference, variances and second moments, centred or not, of weight one."""
    shift, second = moments.S[-1, :-1] / moments.weight, moments.S[:-1, :-1] / moments.weight
    variances = second.diagonal() - shift**2
    if center:
        second -= np.outer(shift, shift)
    return shift, variances, second


def _scaled(
    second: Array, mean: Array, variances: Array, center: bool, standardize: bool
) -> tuple[Array, Array, Array | None]:
    """Gram matrix, correlations with targets, and scales of features. Overwrites `second`."""
    p = len(mean)
    G, c, inv_scale = second[:p, :p], second[:p, p:], None
    if center:
        constant = variances <= (CONSTANT * mean) ** 2
        G[constant] = G[:, constant] = c[constant] = 0.0
    if standardize:
        deviation = np.sqrt(np.maximum(variances, 0.0))
        inv_scale = np.divide(1.0, deviation, out=np.zeros(p), where=deviation > 0)
        G *= inv_scale
        G *= inv_scale[:, None]
        c = c * inv_scale[:, None]
    return G, c, inv_scale


def design_from_moments(
    rows: Design,
    Y: Array,
    weight: Array,
    moments: MomentMatrix,
    total: MomentMatrix,
    center: bool,
    standardize: bool,
) -> tuple[DenseDesign, Array] | None:
    """The dense design `rows` with other weights, and correlations of its features and targets.

    `total` has the moments before rows were left out. None where of too many columns too little is.
    A column of which nearly all the spread was left out is made anew.
    """
    X = rows._X
    if not moments.weight > LEFT * total.weight:
        return None  # of the weights themselves too little is left
    # What the moments were before rows were taken away, in units of the weight that is left.
    spread = total.S.diagonal()[:-1] / moments.weight
    p = moments.n_features
    shift, variances, second = _by_weight(moments, center)
    lost = (variances if center or standardize else second.diagonal()) < LEFT * spread
    lost &= spread > (CONSTANT * moments.reference) ** 2  # constant everywhere: nothing to lose
    anew = np.flatnonzero(lost[:p])
    if len(anew) > MANY_LOST * p:
        return None
    if center:
        shift += moments.reference
    mean, G, c = shift[:p], second[:p, :p], second[:p, p:]
    if len(anew):
        part = DenseDesign.build(X[:, anew], weight)
        variances[anew] = part.variances
        mean[anew] = part.mean
    view = DenseDesign(X, weight / moments.weight, mean if center else None, dtype=rows.dtype)
    if np.count_nonzero(lost):
        centred = view.center(Y)[0]
    if len(anew):
        G[:, anew] = view.correlate(view.columns(anew))
        G[anew] = G[:, anew].T
        c[anew] = view.correlate(centred)[anew]
    if np.count_nonzero(lost[p:]):
        c[:, lost[p:]] = view.correlate(centred[:, lost[p:]])
    G, c, inv_scale = _scaled(second, mean, variances[:p], center, standardize)
    design = view if inv_scale is None else view.with_scale(inv_scale)
    design.use_gram(G)
    return design, c
