"""The equations of a support, by a Cholesky factor: a new one, or one that is updated.

A `Factor` L is that of G_SS for a list S of features, in order of entry, with an L2 part that of
G_SS + L2. Features that enter the active set append rows to it, one triangular solve (the Cholesky
update). Features that leave keep their rows: with E the columns of the identity that belong to
them and ``F = L^-1 E``, the solution on the others is, by a Schur complement,

    x = L^-T (z - F (F'F)^-1 F'z),   z = L^-1 b,

which is zero where they are, since ``E'x = F'L'x`` (the Cholesky downdate). A feature that leaves
adds a column to F, rows that are appended extend it. Where too many rows are idle the factor is
computed anew.

Cost: |S|^2 for each feature that enters or leaves and 2 |S|^2 for each solve, instead of |S|^3 / 3.

With an L2 part the matrix changes with alpha. The factor is that of one alpha, and the solution at
another, not far below, is found by conjugate gradients with the factor as preconditioner: the
eigenvalues of the product are between the ratio of the alphas and one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg.blas import dsymv
from scipy.linalg.lapack import dposv, dpotrf, dpotrs, dtrtrs

from ...data.design import Array, Index
from ..tolerances import DEPENDENT_IN_SUPPORT, STEP_MISSED

# Rows of features that left: more than so many, and more than one in so many, cost each solve more
# than a new factor.
IDLE_ROWS, IDLE_SHARE = 8, 10
# A factor serves alphas down to its own over this; anything from 1.25 to 2 takes the same time.
PRECONDITIONED = 1.5
# Steps of conjugate gradients: with eigenvalues between 2/3 and one each gains a digit.
MOST_CG_STEPS = 20
# Corrections of one solution: after three nothing is left but rounding.
MOST_CORRECTED = 3


def solve_on_support(
    active: Index, rows: Array, rhs: Array, ridge: Array | None
) -> tuple[Array, int | None]:
    """Solve ``(G_AA + ridge) x = rhs``, or find the place of a feature that depends on others.

    Parameters
    ----------
    active : ndarray of int, shape (n_active,)
    rows : ndarray of shape (n_active, n_features)
        Of the Gram matrix.
    rhs : ndarray of shape (n_sides, n_active)
        Right-hand sides; overwritten.
    ridge : ndarray of shape (n_active,), optional

    Returns
    -------
    x : ndarray of shape (n_sides, n_active)
    dependent : int or None
    """
    n_active = len(active)
    if not n_active:
        return rhs, None
    hessian = rows.take(active, 1)
    pivots = hessian.ravel()[:: n_active + 1]
    if ridge is not None:
        pivots += ridge
    least = DEPENDENT_IN_SUPPORT * pivots
    _, x, info = dposv(hessian.T, rhs.T, lower=1, overwrite_a=1, overwrite_b=1)
    if info:
        return rhs, info - 1
    small = pivots * pivots <= least
    return x.T, int(small.argmax()) if np.count_nonzero(small) else None


class FactorRows:
    """The rows of L, in storage that all factors of one active-set method share.

    A factor appends after its own rows, over those of any longer one. Each row knows the factor
    that wrote it, so that one whose rows are lost is told from one that is a prefix of the present
    rows, as after most rollbacks.
    """

    def __init__(self) -> None:
        self.L = np.empty((0, 0), order="F")
        self.writers, self.n_writes = list[int](), 0

    def write(self, n: int, beside: Array, corner: Array) -> int:
        """Put ``[beside, corner]`` after the first n rows; returns the number of its writer."""
        size = n + len(corner)
        if size > len(self.L):
            larger = np.zeros((size + size // 2, size + size // 2), order="F")
            larger[:n, :n] = self.L[:n, :n]
            self.L = larger
        self.L[n:size, :n], self.L[n:size, n:size] = beside, corner
        self.n_writes += 1
        self.writers[n:] = [self.n_writes] * len(corner)
        return self.n_writes

    def end_with(self, n: int, writer: int) -> bool:
        """Whether the first n rows are those that ended with this writer's."""
        return n == 0 or (n <= len(self.writers) and self.writers[n - 1] == writer)


@dataclass(frozen=True)
class Factor:
    """The Cholesky factor of an active set, frozen: each change gives a new one.

    Attributes
    ----------
    rows : FactorRows
    writer : int
        Who wrote the last of its rows.
    alpha : float
        Whose L2 part is in it.
    features : ndarray of int, shape (n_rows,)
        The feature of each row.
    active, place : ndarray of int, shape (n_active,)
        The active set it solves for, and the rows of its features.
    idle : ndarray of int
        The other rows.
    F : ndarray of shape (n_rows, n_idle)
        See above; columns are scaled to length one.
    schur : ndarray of shape (n_idle, n_idle)
        The Cholesky factor of ``F'F``.
    """

    rows: FactorRows
    writer: int
    alpha: float
    features: Index
    active: Index
    place: Index
    idle: Index
    F: Array
    schur: Array

    @classmethod
    def empty(cls, rows: FactorRows, alpha: float = 0.0) -> Factor:
        """The factor of no features."""
        none, nothing = np.empty(0, dtype=np.intp), np.empty((0, 0), order="F")
        return cls(rows, 0, alpha, none, none, none, none, nothing, nothing)

    def at(self, alpha: float) -> Factor:
        """A factor whose L2 part is near enough to that of this alpha."""
        near = self.alpha / PRECONDITIONED <= alpha <= self.alpha
        return self if near else Factor.empty(self.rows, alpha)

    def serves(self, active: Index) -> bool:
        """Whether this is the factor of this active set, its rows not lost."""
        kept = self.rows.end_with(len(self.features), self.writer)
        return kept and np.array_equal(active, self.active)

    def on(self, gram: Array, active: Index, ridges: Array | None) -> Factor | None:
        """The factor updated to an active set; None where its features depend on each other.

        `ridges` has the L2 part of all features at ``alpha = 1``.
        """
        if self.serves(active):
            return self
        factor, place = self, self._places(len(gram), active)
        new = active[place < 0]
        n_idle = len(self.features) + len(new) - len(active)
        kept = self.rows.end_with(len(self.features), self.writer)
        if not kept or n_idle > IDLE_ROWS + len(active) // IDLE_SHARE:
            factor, new = Factor.empty(self.rows, self.alpha), active
        if len(new):
            longer = factor._appended(gram, new, ridges)
            if longer is None:  # the new features may depend on idle rows alone
                idle = len(factor.features) + len(new) > len(active)
                empty = Factor.empty(self.rows, self.alpha)
                return empty.on(gram, active, ridges) if idle else None
            factor, place = longer, longer._places(len(gram), active)
        factor = factor._downdated(place)
        schur = factor.schur
        if len(factor.idle):
            schur, info = dpotrf(factor.F.T @ factor.F, lower=1)
            if info:
                return None
        return replace(factor, active=active, place=place, schur=schur)

    def solve(self, b: Array) -> Array:
        """The solution of ``(G_AA + L2) x = b`` at the factor's alpha."""
        z = np.zeros(len(self.features))
        z[self.place] = b
        z = dtrtrs(self._lower, z, lower=1, overwrite_b=1)[0]
        if len(self.idle):
            z -= self.F @ dpotrs(self.schur, self.F.T @ z, lower=1)[0]
        x = dtrtrs(self._lower, z, lower=1, trans=1, overwrite_b=1)[0]
        return np.asarray(x[self.place])

    def correct(
        self,
        gram: Array,
        alpha: float,
        ridges: Array | None,
        wanted: Array,
        w: Array,
        q: Array,
        exact: float,
    ) -> tuple[Array, Array] | None:
        """Coefficients of the active set such that ``q - alpha ridges w`` is `wanted` there.

        Starts from w and its correlations q, all of length m, and returns both. None where the
        largest of `wanted` times `exact` is missed by far.
        """
        active, unit = self.active, float(np.abs(wanted).max())
        rates = np.zeros(len(active)) if ridges is None else ridges.take(active)
        ridge, excess = alpha * rates, alpha * rates - self.alpha * rates
        change, w = np.zeros(len(gram)), w.copy()
        for _ in range(MOST_CORRECTED):
            r = q.take(active) - wanted - ridge * w.take(active)
            if not np.abs(r).max() > exact * unit:
                break
            if ridges is None:
                step = self.solve(r)
            else:
                step = self._conjugate_gradients(r, excess, 0.5 * exact * unit)
            w[active] += step
            change[active] = step
            q = q - symmetric_product(gram, change)
        r = q.take(active) - wanted - ridge * w.take(active)
        return (w, q) if np.abs(r).max() <= STEP_MISSED * exact * unit else None

    def _conjugate_gradients(self, r: Array, excess: Array, least: float) -> Array:
        """The solution for r with `excess` added to the diagonal, up to residuals of `least`.

        With z the factor's solution for r, the matrix it is of takes z to r, so that no product
        with G is needed.
        """
        x, direction, image, before = np.zeros(len(r)), r, r, 0.0
        for _ in range(MOST_CG_STEPS):
            z = self.solve(r)
            now = float(r @ z)
            share = now / before if before else 0.0
            direction, image = z + share * direction, r + share * image
            bent = image + excess * direction
            curvature = float(direction @ bent)
            if not curvature > 0.0:
                break
            x += (now / curvature) * direction
            r = r - (now / curvature) * bent
            if not np.abs(r).max() > least:
                break
            before = now
        return x

    def pivots(self) -> Array:
        """Squared pivots of the active features."""
        return np.asarray(self.rows.L.diagonal()[self.place] ** 2)

    @property
    def _lower(self) -> Array:
        """L in its storage: as many columns as there are rows, so that no solve copies it."""
        return self.rows.L[:, : len(self.features)]

    def _places(self, n_features: int, active: Index) -> Index:
        """Rows of the active features, -1 where they have none."""
        where = np.full(n_features, -1)
        where[self.features] = np.arange(len(self.features))
        return where[active]

    def _appended(self, gram: Array, new: Index, ridges: Array | None) -> Factor | None:
        """With rows for new features; None where one depends on those before it."""
        n = len(self.features)
        columns = gram.take(new, 0)
        rest = columns.take(new, 1).T
        if ridges is not None:
            rest[np.diag_indices(len(new))] += self.alpha * ridges[new]
        least = DEPENDENT_IN_SUPPORT * rest.diagonal()
        beside, F = np.empty((0, len(new))), self.F
        if n:
            beside = columns.take(self.features, 1).T
            beside = dtrtrs(self._lower, beside, lower=1, overwrite_b=1)[0]
            rest -= beside.T @ beside
        corner, info = dpotrf(rest, lower=1, overwrite_a=1)
        if info or np.any(corner.diagonal() ** 2 <= least):
            return None
        if len(self.idle):
            below = dtrtrs(corner, beside.T @ F, lower=1)[0]
            F = np.asfortranarray(np.concatenate([F, -below]))
        writer = self.rows.write(n, beside.T, corner)
        features = np.concatenate([self.features, new])
        return replace(self, writer=writer, features=features, F=F)

    def _downdated(self, place: Index) -> Factor:
        """With idle rows for all but those at `place`."""
        idle = np.ones(len(self.features), dtype=bool)
        idle[place] = False
        stay = idle[self.idle]
        idle[self.idle] = False
        fresh = np.flatnonzero(idle)
        if not len(fresh) and stay.all():
            return self
        E = np.zeros((len(self.features), len(fresh)), order="F")
        E[fresh, np.arange(len(fresh))] = 1.0
        if len(fresh):
            E = dtrtrs(self._lower, E, lower=1, overwrite_b=1)[0]
            E /= np.sqrt(np.sum(E * E, axis=0))
        old = self.F[:, stay] if len(stay) else E[:, :0]
        F = np.asfortranarray(np.concatenate([old, E], axis=1))
        return replace(self, idle=np.concatenate([self.idle[stay], fresh]), F=F)


def symmetric_product(gram: Array, v: Array) -> Array:
    """``gram v``, which reads half of a matrix that is too large for the cache."""
    return np.asarray(dsymv(1.0, gram.T, v)) if len(v) else v.copy()  # it takes nothing empty
