"""What a pass over rows that stay elsewhere finds of a smooth loss, group by group.

A pass evaluates the loss at some coefficients, of rows in groups that do not overlap: the folds of
a cross-validation, or the classes within each. Sums over groups add up, in any order and tree, and
every training set is a weighted sum of them: that without a fold leaves out its groups, and weights
of classes are factors of theirs. So one pass serves all training sets, and the value of the groups
that a fit leaves out is its held-out error.

With Z the rows less a reference, s their weights, f the loss and h its curvature, the sums are

    sum s f,   sum s f'^2,   -sum s f',   -Z' s f',   sum s h,   Z' s h   and   [Z, 1]' s h [Z, 1],

of which the last is asked for at a few points alone. Of the multinomial loss it has the pairs of a
class and a feature, class by class; in the place of ``sum s h`` there are the sums of s log(p).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ...data.products import Array, as_dense
from ...objective.losses import Loss

# Rows are gone through in parts of so many entries of X or of linear predictors: at 100 columns and
# 500 points in half the time of parts of four times as many, which leave the cache.
ENTRIES_OF_PART = 1 << 17


class PassQuery(NamedTuple):
    """Where a pass evaluates the loss.

    Attributes
    ----------
    W : ndarray of shape (n_points, n_outputs, n_features)
        Coefficients of the rows less the reference.
    b : ndarray of shape (n_points, n_outputs)
    target : ndarray of int, shape (n_points,)
        The column of y that belongs to each point; without meaning where a loss takes all.
    curved : ndarray of int
        The points whose Hessians are asked for.
    """

    W: Array
    b: Array
    target: NDArray[np.intp]
    curved: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class GroupSums:
    """The sums of a pass; see the module's text.

    Attributes
    ----------
    values, squares : ndarray of shape (n_groups, n_points)
    slopes : ndarray of shape (n_groups, n_points, n_outputs)
        Sums of the residuals.
    q : ndarray of shape (n_groups, n_points, n_outputs, n_features)
        Correlations of the residuals.
    bends : ndarray of shape (n_groups, n_points, n_outputs)
        Sums of the curvatures, or of log(p).
    border : ndarray of shape (n_groups, n_points, n_features or 0)
        Sums of the rows times the curvatures, of one output.
    hessians : ndarray of shape (n_groups, n_curved, m, m)
        With ``m = n_outputs (n_features + 1)``; the last of each output is the intercept.
    nearest : ndarray of shape (n_groups, n_points)
        The smallest slope of a row with a curvature, where a curvature may end.
    n_rows : ndarray of int, shape (n_groups,)
        Rows that were read.
    """

    values: Array
    squares: Array
    slopes: Array
    q: Array
    bends: Array
    border: Array
    hessians: Array
    nearest: Array
    n_rows: Array

    @classmethod
    def empty(cls, query: PassQuery, n_groups: int) -> GroupSums:
        """Those of no rows."""
        n_points, n_outputs, n_features = query.W.shape
        some, m = (n_groups, n_points), n_outputs * (n_features + 1)
        return cls(
            values=np.zeros(some),
            squares=np.zeros(some),
            slopes=np.zeros((*some, n_outputs)),
            q=np.zeros((*some, n_outputs, n_features)),
            bends=np.zeros((*some, n_outputs)),
            border=np.zeros((*some, n_features if n_outputs == 1 else 0)),
            hessians=np.zeros((n_groups, len(query.curved), m, m)),
            nearest=np.full(some, np.inf),
            n_rows=np.zeros(n_groups, dtype=np.intp),
        )

    def joined(self, other: Self) -> Self:
        """The sums over the rows of both, in the arrays of the first."""
        for each in fields(self):
            own, more = getattr(self, each.name), getattr(other, each.name)
            if each.name == "nearest":
                np.minimum(own, more, out=own)
            else:
                own += more
        return self

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def add(
        self,
        query: PassQuery,
        loss: Loss,
        X: Any,
        Y: Array,
        weight: Array,
        group: NDArray[np.intp],
        reference: Array,
    ) -> None:
        """Add rows, dense or CSR, in place; Y has shape (n_rows, n_targets)."""
        self.n_rows[:] += np.bincount(group, minlength=len(self.n_rows))
        order = np.argsort(group, kind="stable")
        order = order[weight[order] > 0]
        ends = np.flatnonzero(np.diff(group[order])) + 1
        width = max(query.W.shape[1] * max(len(query.W), X.shape[1] + 1), 1)
        step = max(1, ENTRIES_OF_PART // width)
        for rows in np.split(order, ends):
            for start in range(0, len(rows), step):
                some = rows[start : start + step]
                g, first, last = int(group[some[0]]), int(some[0]), int(some[-1])
                index = slice(first, last + 1) if last - first + 1 == len(some) else some
                Z = as_dense(X[index]) - reference
                self._add_rows(g, query, loss, Z, Y[index], weight[index])

    def _add_rows(self, g: int, query: PassQuery, loss: Loss, Z: Array, Y: Array, s: Array) -> None:
        n_points, n_outputs, p = query.W.shape
        eta = (query.W.reshape(-1, p) @ Z.T).reshape(n_points, n_outputs, len(Z))
        eta += query.b[:, :, None]
        if loss.couples_targets:
            self._add_classes(g, query, Z, Y, s, eta)
            return
        eta, y = eta[:, 0], np.ascontiguousarray(Y.T)
        y = y[0] if len(y) == 1 else y[query.target]
        self.values[g] += loss.each(eta, y) @ s
        slope, bend = loss.gradient_and_curvature(eta, y)
        if not loss.gap_from_curvature:
            inside = np.where(bend > 0, np.abs(slope), np.inf).min(axis=1, initial=np.inf)
            np.minimum(self.nearest[g], inside, out=self.nearest[g])
        self.squares[g] += np.square(slope) @ s
        slope *= -s
        bend *= s
        self.slopes[g, :, 0] += slope.sum(axis=1)
        self.bends[g, :, 0] += bend.sum(axis=1)
        self.q[g, :, 0] += slope @ Z
        self.border[g] += bend @ Z
        for place, i in enumerate(query.curved):
            A = np.empty((len(Z), p + 1))
            root = np.sqrt(bend[i])
            np.multiply(Z, root[:, None], out=A[:, :p])
            A[:, p] = root
            self.hessians[g, place] += A.T @ A

    def _add_classes(
        self, g: int, query: PassQuery, Z: Array, Y: Array, s: Array, eta: Array
    ) -> None:
        n_points, n_classes, n = eta.shape
        p, y = Z.shape[1], np.ascontiguousarray(Y.T)
        top = eta.max(axis=1)
        shares = np.exp(eta - top[:, None])
        total = shares.sum(axis=1)
        shares /= total[:, None]
        eta -= (top + np.log(total))[:, None]
        self.values[g] -= np.einsum("pkn,kn->p", eta, y * s)
        self.bends[g] += eta @ s
        residual = y - shares
        self.squares[g] += np.square(residual).sum(axis=1) @ s
        residual *= s
        self.slopes[g] += residual.sum(axis=2)
        self.q[g] += (residual.reshape(-1, n) @ Z).reshape(n_points, n_classes, p)
        if not len(query.curved):
            return
        root, width = np.sqrt(s), p + 1
        weighted, A = np.empty((n, width)), np.empty((n, n_classes * width))
        np.multiply(Z, root[:, None], out=weighted[:, :p])
        weighted[:, p] = root
        for place, i in enumerate(query.curved):
            H = self.hessians[g, place]
            for k, share in enumerate(shares[i]):
                own = slice(k * width, (k + 1) * width)
                np.multiply(weighted, share[:, None], out=A[:, own])
                H[own, own] += weighted.T @ A[:, own]
            H -= A.T @ A
