"""Newton's step on a face: minimise over the coefficients that are free to move.

On the face where signs and active bounds stay as they are, the objective is the quadratic

    1/2 w' (G + diag(l2)) w - (c - l1 sign(w))' w

and one linear solve reaches its minimum. The step is cut where the first coefficient meets zero
or a bound; that coefficient stays there and the rest is solved again. Along every piece the
objective falls, so it never rises. Cost: one Cholesky factor, |A|^3 / 3, and |A|^2 a piece.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh, lapack

from ...data.design import Array, Index
from ...objective.penalties import ScaledPenalty
from ..base import Mask
from ..tolerances import DEPENDENT_ON_ORTHANT

# Eigenvalues below this many roundings (an order) are taken to be that large: a step along a
# direction without curvature is long, but not so long that the objective might rise.
LEAST_EIGENVALUE = 8 * float(np.finfo(np.float64).eps)
# Up to so many coefficients, eigenvectors tell directions without curvature from others. In larger
# singular faces this share of the diagonal is added, for which a factor keeps enough digits, and so
# many further solutions with it take its effect back.
FEW_FREE = 30
FACE_SHIFT, FACE_REFINEMENTS = 1e-11, 2
# A factor is made anew when this many, and a tenth, of its coefficients are held, or when the
# forces that hold them would be determined no better than this.
MANY_HELD = 8
ILL_CONDITIONED = 1e8


def free_coefficients(w: Array, penalty: ScaledPenalty, curvature: Array) -> Mask:
    """Coefficients that can move to both sides without meeting a kink or a bound."""
    smooth = (w != 0) | (penalty.l1 == 0)
    inside = (penalty.lower < w) & (w < penalty.upper)
    return smooth & inside & (curvature + penalty.l2 > 0)


class DenseFace:
    """A face with its Hessian as a matrix.

    One Cholesky factor serves many cuts: with E the columns of the identity that belong to the
    coefficients held so far, the step on the others is ``H^-1 (g - E m)``, where m makes the held
    ones stay. A cut then costs two triangular solves, |A|^2. A nearly singular Hessian is solved
    by eigenvectors, with eigenvalues that are no smaller than their rounding errors.
    """

    def __init__(self, hessian: Array, l2: Array) -> None:
        self.H = hessian
        self.H[np.diag_indices_from(self.H)] += l2
        self.held: list[int] = []
        self._factorize(np.arange(len(l2)))

    def _factorize(self, index: Index) -> None:
        """Factor the part of the Hessian that belongs to `index`, scaled to a unit diagonal."""
        H = self.H if len(index) == len(self.H) else self.H[np.ix_(index, index)]
        self.index = index
        self.inverse = 1.0 / np.sqrt(H.diagonal())
        self.unit = H * self.inverse
        self.unit *= self.inverse[:, None]
        factor, info = lapack.dpotrf(self.unit, lower=1)
        regular = info == 0 and len(index) and factor.diagonal().min() ** 2 > DEPENDENT_ON_ORTHANT
        self.factor = factor if regular else None
        self.shifted = not regular and len(index) > FEW_FREE
        if self.shifted:
            shifted = self.unit.copy()
            shifted[np.diag_indices_from(shifted)] += FACE_SHIFT
            self.factor = lapack.dpotrf(shifted, lower=1, overwrite_a=1)[0]
        self.held, self.responses = [], np.empty((len(index), 0), order="F")

    def hold(self, hit: Index) -> None:
        """Keep these coefficients where they are from now on."""
        inside = np.searchsorted(self.index, hit)
        self.held += inside.tolist()
        if self.factor is None or len(self.held) > MANY_HELD + len(self.index) // 10:
            self._factorize(np.delete(self.index, self.held))
            return
        columns = np.zeros((len(self.index), len(hit)), order="F")
        columns[inside, np.arange(len(hit))] = 1.0
        self.responses = np.hstack(
            [self.responses, lapack.dpotrs(self.factor, columns, lower=1)[0]]
        )
        if np.linalg.cond(self.responses[self.held]) > ILL_CONDITIONED:
            self._factorize(np.delete(self.index, self.held))

    def direction(self, gradient: Array, noise: Array) -> Array:
        """Newton step; `noise` is the size of rounding errors in the gradient."""
        step = np.zeros_like(gradient)
        if not len(self.index):
            return step
        rhs = self.inverse * gradient[self.index]
        if self.factor is not None:
            found = self._by_factor(rhs)
            for _ in range(FACE_REFINEMENTS if self.shifted else 0):
                found += self._by_factor(rhs - self.unit @ found)
        else:
            values, vectors = eigh(self.unit)
            share = vectors.T @ rhs
            share[np.abs(share) <= np.linalg.norm(self.inverse * noise[self.index])] = 0.0
            found = vectors @ (share / np.maximum(values, LEAST_EIGENVALUE * len(values)))
        step[self.index] = self.inverse * found
        return step

    def _by_factor(self, rhs: Array) -> Array:
        """The solution that keeps the held coefficients where they are."""
        found = np.asarray(lapack.dpotrs(self.factor, rhs, lower=1)[0])
        if self.held:
            force = np.linalg.solve(self.responses[self.held], found[self.held])
            found -= self.responses @ force
            found[self.held] = 0.0
        return found


def newton_on_face(
    w: Array,
    q: Array,
    penalty: ScaledPenalty,
    index: Index,
    face: DenseFace,
    noise: Array,
) -> None:
    """Move ``w[index]``, in place, to the minimum of its face or of the smaller one it is cut to.

    `q` is the correlation of the residual at w, `noise` its rounding error, for all features.
    """
    pen = penalty.take(index)
    now = w[index]
    sign = np.sign(now)
    low = np.where((pen.l1 > 0) & (sign > 0), 0.0, pen.lower)
    high = np.where((pen.l1 > 0) & (sign < 0), 0.0, pen.upper)
    gradient = q[index] - pen.l1 * sign - pen.l2 * now
    for _ in range(len(index) + 1):
        step = face.direction(gradient, noise[index])
        limit = np.where(step > 0, high, low)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(step != 0, (limit - now) / step, np.inf)
        t = max(float(ratio.min()), 0.0)
        if t >= 1.0:
            w[index] = now + step
            return
        hit = ratio <= t
        now = np.where(hit, limit, now + t * step)
        gradient = gradient * (1.0 - t)
        gradient[hit] = 0.0
        face.hold(np.flatnonzero(hit))
    w[index] = now
