"""Sums over rows from which everything about squared errors can be read, and which add up.

With a row ``a_i = (x_i - m, y_i - k, 1)``, m and k any reference, weights, means and second moments
of a set of weighted rows stand in ``S = sum_i v_i a_i a_i^T``, and with them the error of any
coefficients,

    sum_i v_i (y_i - b - x_i w)^2 = u^T S u,        u = (-w, 1, k - b - m w).

S of some rows is S of all less S of the others, where both have one reference. Of rows that come
in parts each is summed about its own mean, and joining two moves both to the mean of all, by which
nothing cancels (Chan, Golub and LeVeque, The American Statistician 37(3), 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..caching import cached_property
from .products import BLOCK_ENTRIES, Array, Index, as_dense, is_sparse
from .sparse_sums import has_few_entries, sums_of_sparse

# Errors below this share of the squares they are made from are computed from predictions.
SMALLEST_ERROR = 1e-6


@dataclass(frozen=True, eq=False)
class MomentMatrix:
    """``S`` of some rows about a reference.

    Attributes
    ----------
    S : ndarray of shape (n_features + n_targets + 1, n_features + n_targets + 1)
    reference : ndarray of shape (n_features + n_targets,)
        m and k.
    n_features : int
    """

    S: Array
    reference: Array
    n_features: int

    @classmethod
    def of_rows(cls, X: Any, Y: Array, reference: Array, weight: Array) -> MomentMatrix:
        """Sums over the rows of X, of shape (n, p), dense or sparse, and Y, of shape (n, q)."""
        if is_sparse(X):
            if has_few_entries(X):
                S = sums_of_sparse(X.tocsc(), Y, reference, weight)
                return cls(S, reference, X.shape[1])
            X = X.tocsr()
        p, width = X.shape[1], X.shape[1] + Y.shape[1]
        rows = np.flatnonzero(weight)
        root = np.sqrt(weight[rows])
        plain = bool(np.all(root == 1.0))
        step = max(1, BLOCK_ENTRIES // width)
        by_column = not is_sparse(X) and X.strides[0] < X.strides[1]
        order: Literal["C", "F"] = "F" if by_column else "C"  # in which X is read
        block = np.empty((min(step, max(len(rows), 1)), width + 1), order=order)
        S = np.zeros((width + 1, width + 1))
        for start in range(0, len(rows), step):
            index = _as_slice(rows[start : start + step])
            a = block[: len(root[start : start + step])]
            np.subtract(as_dense(X[index]), reference[:p], out=a[:, :p])
            np.subtract(Y[index], reference[p:], out=a[:, p:width])
            a[:, width] = 1.0
            if not plain:
                a *= root[start : start + step, None]
            S += a.T @ a
        return cls(S, reference, p)

    def __add__(self, other: MomentMatrix) -> MomentMatrix:
        """Sums over the rows of both."""
        S = self.S + other.about(self.reference).S
        return MomentMatrix(S, self.reference, self.n_features)

    def __sub__(self, other: MomentMatrix) -> MomentMatrix:
        """Sums over the rows of this that are not in `other`."""
        S = self.S - other.about(self.reference).S
        return MomentMatrix(S, self.reference, self.n_features)

    def joined(self, other: MomentMatrix) -> MomentMatrix:
        """Sums over the rows of both, about their common mean."""
        if not other.weight:
            return self
        if not self.weight:
            return other
        share = other.weight / (self.weight + other.weight)
        mean = self.mean + share * (other.mean - self.mean)
        S = self.S + other.S
        self._move(S, mean)
        other._move(S, mean)
        return MomentMatrix(S, mean, self.n_features)

    @property
    def mean(self) -> Array:
        """Weighted mean of features and targets."""
        return self.reference + self.S[-1, :-1] / self.weight

    @property
    def spread(self) -> Array:
        """Weighted mean squares of features and targets about the mean."""
        shift = self.S[-1, :-1] / self.weight
        return np.maximum(self.S.diagonal()[:-1] / self.weight - shift**2, 0.0)

    def times(self, exponents: NDArray[np.int64], of_weight: int) -> MomentMatrix:
        """The same of features and targets divided by powers of two, and of weights."""
        each = np.append(exponents, 0)
        S = np.ldexp(self.S, -(each + each[:, None] + of_weight))
        return MomentMatrix(S, np.ldexp(self.reference, -exponents), self.n_features)

    def about(self, reference: Array) -> MomentMatrix:
        """The same rows about another reference."""
        if self.reference is reference:
            return self
        S = self.S.copy()
        self._move(S, reference)
        return MomentMatrix(S, reference, self.n_features)

    def _move(self, S: Array, reference: Array) -> None:
        """Add to a matrix what moves these rows, which are in it, to another reference."""
        shift = self.reference - reference
        u, v = np.append(shift, 0.0), self.S[-1] + 0.5 * self.weight * np.append(shift, 0.0)
        step = max(1, BLOCK_ENTRIES // len(S))
        for start in range(0, len(S), step):  # no other matrix as large is made
            rows = slice(start, start + step)
            S[rows] += np.outer(u[rows], v) + np.outer(v[rows], u)

    @cached_property
    def weight(self) -> float:
        """Sum of the weights."""
        return float(self.S[-1, -1])

    def mean_squared_error(
        self, W: Array, intercepts: Array, least: float = SMALLEST_ERROR
    ) -> Array | None:
        """Weighted mean squared errors, shape (n_targets, n_alphas).

        None where they are less than a share, `least`, of the squares they are the difference of:
        digits would be lost.

        Parameters
        ----------
        W : ndarray of shape (n_targets, n_features, n_alphas)
        intercepts : ndarray of shape (n_targets, n_alphas)
        """
        if not self.weight:
            return None
        p, errors = self.n_features, np.empty_like(intercepts)
        for k, (w, b) in enumerate(zip(W, intercepts, strict=True)):
            index = np.flatnonzero(w.any(axis=1))
            held = np.concatenate([index, [p + k, len(self.S) - 1]])
            part = self.S[np.ix_(held, held)]
            shift = self.reference[p + k] - b - self.reference[index] @ w[index]
            u = np.ones((len(held), len(b)))
            u[:-2], u[-1] = -w[index], shift
            errors[k] = np.sum(u * (part @ u), axis=0)
            if least and np.any(errors[k] < least * (part.diagonal() @ (u * u))):
                return None
        return np.maximum(errors, 0.0) / self.weight


def _as_slice(index: Index) -> Index | slice:
    """Rows that follow one another, which need no copy."""
    first, last = int(index[0]), int(index[-1])
    return slice(first, last + 1) if last - first + 1 == len(index) else index
