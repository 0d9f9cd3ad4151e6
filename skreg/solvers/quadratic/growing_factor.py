"""A Cholesky factor that is kept while a support changes by a few features at a time.

The factor L is of G_SS for slots S, in order of entry. Features that join append rows to it, one
triangular solve. Features that leave stay in it, dead: with E the columns of the identity that
belong to them and ``F = L^-1 E``, the solution on the others is

    x = L^-T (z - F (F'F)^-1 F'z),   z = L^-1 b,

which keeps the dead at zero, since ``E'x = F'L'x``. F is kept too: who dies adds a column, one
triangular solve, and new slots add rows. When too many are dead the factor is made anew.

Cost: |S|^2 for each feature that joins or dies and 2 |S|^2 for each solve, instead of |S|^3 / 3.

With an L2 part the matrix is G + L2, which changes with alpha. The factor is that of one alpha, and
the solution at another, not far below, is found by conjugate gradients with the factor as
preconditioner: the eigenvalues of the product are between the ratio of the alphas and one.
Without one the first step is all but exact, and the same iterations refine it.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dsymv
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtrs

from ...data.design import Array, Index

# The factor is made anew when more than so many, and a share of 1 in so many, are dead.
FEW, SHARE = 8, 10
# The factor is that of an alpha up to so many times as large; anything from 1.25 to 2 does.
STALE = 1.5
# Most steps of conjugate gradients: with the eigenvalues between 2/3 and one each gains a digit.
# Without an L2 part more than these find nothing but rounding.
MOST_STEPS, REFINED = 20, 3
# Correlations that follow from those at the last alphas are made anew after so many alphas.
TRUSTED = 4
# What misses the exactness asked for by this factor is not good enough.
MISSED = 10.0


class GrowingFactor:
    """Solves ``G_AA x = b`` for one support A after another.

    Parameters
    ----------
    dependent : float
        A squared pivot below this share of a feature's diagonal: it depends on those before it.
    """

    def __init__(self, dependent: float) -> None:
        self.dependent = dependent
        self.slots = np.empty(0, dtype=np.intp)
        self.L = np.empty((0, 0), order="F")
        self.alpha = 0.0  # whose L2 part is in the factor
        self.ridge = np.empty(0)
        self.age = 0  # alphas since correlations were made from nothing but coefficients
        self._forget()

    def _forget(self) -> None:
        self.active: Index | None = None  # the support it is ready for,
        self.place = self.slots[:0]  # and where among the slots its features are
        self.slots = self.slots[:0]
        self.dead = np.empty(0, dtype=np.intp)  # places among the slots
        self.F = np.empty((0, 0), order="F")
        self.corner = np.empty((0, 0), order="F")  # the factor of F'F

    def serve(self, alpha: float, ridge: Array) -> None:
        """Be ready for this alpha, at which the L2 part of all features is `ridge`."""
        if not self.alpha / STALE <= alpha <= self.alpha or len(ridge) < len(self.ridge):
            self.alpha, self.ridge = alpha, ridge
            self._forget()
        elif len(ridge) > len(self.ridge):
            self.ridge = ridge * (self.alpha / alpha)

    def drift(self, ahead: float) -> None:
        """A new alpha is begun on the secant, `ahead` times the way it spans.

        Its correlations have the errors of the last two: they grow steadily as long as
        ``ahead <= 1``, and else by more and more. Two alphas in a row end that.
        """
        if self.age > TRUSTED:
            self.age = 0
        self.age += 1 if ahead <= 1.0 else TRUSTED

    def correlations(
        self, gram: Array, c: Array, near: tuple[Array, Array], w: Array, n_active: int
    ) -> Array:
        """``c - gram w``, from the coefficients and correlations nearby where that is as good."""
        moved = np.flatnonzero(w != near[0])
        if self.age >= TRUSTED or 4 * len(moved) >= n_active:
            return np.asarray(c - symmetric_product(gram, w))
        return np.asarray(near[1] - (w - near[0]).take(moved).dot(gram.take(moved, 0)))

    def move(
        self,
        gram: Array,
        active: Index,
        ridge: Array,
        pull: Array,
        w: Array,
        q: Array,
        exact: float,
    ) -> tuple[Array, Array] | None:
        """Coefficients of A such that ``q - ridge w`` is `pull` there, and the correlations then.

        Parameters
        ----------
        ridge, pull : ndarray of shape (len(active),)
        w, q : ndarray of shape (len(gram),)
            Coefficients to start from, of which only those of A change, and their correlations.
        exact : float
            As a share of the largest pull. None where this is missed by far, or where the
            features of A depend on each other.
        """
        unit = float(np.abs(pull).max())
        spread, w = np.zeros(len(gram)), w.copy()
        for _ in range(REFINED):
            r = q.take(active) - pull - ridge * w.take(active)
            if not np.abs(r).max() > exact * unit:
                break
            step = self._step(gram, active, ridge, r, 0.5 * exact * unit)
            if step is None:
                return None
            w[active] += step
            spread[active] = step
            q = q - symmetric_product(gram, spread)
        r = q.take(active) - pull - ridge * w.take(active)
        return (w, q) if np.abs(r).max() <= MISSED * exact * unit else None

    def _step(
        self, gram: Array, active: Index, ridge: Array, r: Array, least: float
    ) -> Array | None:
        """``(G_AA + ridge)^-1 r`` up to residuals of `least`, by conjugate gradients.

        With z the factor's answer to r, the matrix it is of takes z to r, so that no product with
        G is needed, only with the difference of the two L2 parts.
        """
        if not len(self.ridge):
            return self.solve(gram, active, r)
        excess = ridge - self.ridge.take(active)
        x, direction, image, before = np.zeros(len(r)), r, r, 0.0
        for _ in range(MOST_STEPS):
            z = self.solve(gram, active, r)
            if z is None:
                return None
            now = float(r @ z)
            share = now / before if before else 0.0
            direction, image = z + share * direction, r + share * image
            bend = image + excess * direction
            curvature = float(direction @ bend)
            if not curvature > 0.0:
                return None
            x += (now / curvature) * direction
            r = r - (now / curvature) * bend
            if not np.abs(r).max() > least:
                break
            before = now
        return x

    def solve(self, gram: Array, active: Index, b: Array) -> Array | None:
        """The solution at the factor's alpha, None where the features of A depend on each other."""
        if active is not self.active and not self._turn_to(gram, active):
            return None
        z = np.zeros(len(self.slots))
        z[self.place] = b
        z = dtrtrs(self._lower, z, lower=1, overwrite_b=1)[0]
        if len(self.dead):
            z -= self.F @ dpotrs(self.corner, self.F.T @ z, lower=1)[0]
        x = dtrtrs(self._lower, z, lower=1, trans=1, overwrite_b=1)[0]
        return np.asarray(x[self.place])

    def _turn_to(self, gram: Array, active: Index) -> bool:
        """Slots for all of A, and the others dead; False where the features of A are dependent."""
        place = self._places(len(gram), active)
        new = active[place < 0]
        n_dead = len(self.slots) + len(new) - len(active)
        if n_dead > FEW + len(active) // SHARE:
            self._forget()
            new = active
        if len(new):
            if not self._append(gram, new):
                self._forget()
                return False
            place = self._places(len(gram), active)
        self._bury(place)
        if len(self.dead):
            self.corner, info = dpotrf(self.F.T @ self.F, lower=1)
            if info:
                self._forget()
                return False
        self.active, self.place = active, place
        return True

    @property
    def _lower(self) -> Array:
        """L in its buffer: as many columns as there are slots, so that no solve copies it."""
        return self.L[:, : len(self.slots)]

    def _places(self, n_features: int, active: Index) -> Index:
        """Slots of the active features, -1 where they have none."""
        where = np.full(n_features, -1)
        where[self.slots] = np.arange(len(self.slots))
        return where[active]

    def _append(self, gram: Array, new: Index) -> bool:
        """Rows for new features; False where one depends on those before it."""
        n, size = len(self.slots), len(self.slots) + len(new)
        if size > len(self.L):
            larger = np.zeros((size + size // 2, size + size // 2), order="F")
            larger[:n, :n] = self.L[:n, :n]
            self.L = larger
        rows = gram.take(new, 0)
        rest = rows.take(new, 1).T
        if len(self.ridge):
            rest[np.diag_indices(len(new))] += self.ridge[new]
        least = self.dependent * rest.diagonal()
        if n:
            beside = dtrtrs(self._lower, rows.take(self.slots, 1).T, lower=1, overwrite_b=1)[0]
            rest -= beside.T @ beside
            self.L[n:size, :n] = beside.T
        corner, info = dpotrf(rest, lower=1, overwrite_a=1)
        if info or np.any(corner.diagonal() ** 2 <= least):
            return False
        self.L[n:size, n:size] = corner
        self.slots = np.concatenate([self.slots, new])
        if len(self.dead):
            below = dtrtrs(corner, beside.T @ self.F, lower=1)[0]
            self.F = np.asfortranarray(np.concatenate([self.F, -below]))
        return True

    def _bury(self, alive: Index) -> None:
        """Columns of F for the slots that are dead now; scaled to length one."""
        dead = np.ones(len(self.slots), dtype=bool)
        dead[alive] = False
        stay = dead[self.dead]
        dead[self.dead] = False
        fresh = np.flatnonzero(dead)
        if not (len(fresh) or len(stay) > np.count_nonzero(stay)):
            return
        E = np.zeros((len(self.slots), len(fresh)), order="F")
        E[fresh, np.arange(len(fresh))] = 1.0
        parts = []
        if stay.any():
            parts.append(self.F[:, stay])
        if len(fresh):
            E = dtrtrs(self._lower, E, lower=1, overwrite_b=1)[0]
            parts.append(E / np.sqrt(np.sum(E * E, axis=0)))
        self.F = np.asfortranarray(np.concatenate(parts, axis=1)) if parts else self.F[:, :0]
        self.dead = np.concatenate([self.dead[stay], fresh])


def symmetric_product(gram: Array, v: Array) -> Array:
    """``gram v``, which reads half of a matrix that is too large for the cache."""
    return np.asarray(dsymv(1.0, gram.T, v)) if len(v) else v.copy()  # it takes nothing empty
