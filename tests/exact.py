"""The problem as mathematics, apart from the library's code: for tests to check answers with.

Everything is computed on the explicitly centred, scaled and weighted dense matrix, in extended
precision where the machine has it. Coefficients are on the user's scale, and so are the
penalties: with ``standardize`` feature j's L1 factor is multiplied by its standard deviation, the
L2 factor by its variance. A column that is constant has no standard deviation to divide by, so
there it has no coefficient.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import sparse

REAL = np.longdouble


@dataclass
class Problem:
    """``1/2 |y - Zw|^2 + sum_j l1_j |w_j| + l2_j/2 w_j^2`` in a box; rows carry root weights."""

    Z: np.ndarray
    y: np.ndarray
    l1: np.ndarray
    l2: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(
        cls,
        X,
        y,
        alpha,
        l1_ratio=1.0,
        sample_weight=None,
        fit_intercept=True,
        standardize=False,
        penalty_factor=None,
        lower_bound=None,
        upper_bound=None,
        positive=False,
    ):
        """The problem of `ElasticNet` with these parameters, for one target."""
        X = np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=REAL)
        y = np.asarray(y, dtype=REAL)
        p = X.shape[1]
        omega = np.asarray(np.ones(len(y)) if sample_weight is None else sample_weight, dtype=REAL)
        omega = omega / omega.max()
        omega = omega / omega.sum()
        mean = omega @ X
        spread = np.sqrt(omega @ (X - mean) ** 2)
        constant = spread <= 8 * np.finfo(float).eps * np.abs(mean)
        if fit_intercept:
            X = np.where(constant, 0, X - mean)
            X -= omega @ X  # extended precision has its rounding too
            y = y - omega @ y
        unit = np.where(constant, 0, spread) if standardize else np.ones(p, dtype=REAL)
        v = np.ones(p) if penalty_factor is None else np.array(penalty_factor, dtype=float)
        excluded = np.isinf(v) | (standardize & constant)
        v = np.where(excluded, 0.0, v)
        lower = np.broadcast_to(-np.inf if lower_bound is None else lower_bound, p)
        upper = np.broadcast_to(np.inf if upper_bound is None else upper_bound, p)
        root = np.sqrt(omega)
        return cls(
            Z=X * root[:, None],
            y=y * root,
            l1=alpha * l1_ratio * v * unit,
            l2=alpha * (1 - l1_ratio) * v * unit**2,
            lower=np.where(excluded | positive, 0.0, lower),
            upper=np.where(excluded, 0.0, upper),
        )

    @property
    def unit(self):
        """The unit of gaps: the weighted mean square of the centred target."""
        return float(self.y @ self.y) or 1.0

    @property
    def reach(self):
        """The largest correlation that each feature could have with the target."""
        return np.sqrt((self.Z**2).sum(axis=0) * (self.y @ self.y))

    def objective(self, w):
        w = np.asarray(w, dtype=REAL)
        r = self.y - self.Z @ w
        return 0.5 * (r @ r) + self.l1 @ np.abs(w) + 0.5 * (self.l2 @ (w * w))

    def violation(self, w):
        """Distance of each feature from its KKT conditions, inf outside the box.

        As a share of ``|y| (|z_j|^2 + l2_j)^(1/2)``, `reach` for a feature without an L2 part.
        """
        w = np.asarray(w, dtype=REAL)
        g = self.Z.T @ (self.y - self.Z @ w) - self.l2 * w
        # The multiplier that a sign, the kink or a bound has to take up.
        above = np.where(w < 0, g + self.l1, g - self.l1)  # pushes up where positive
        below = np.where(w > 0, g - self.l1, g + self.l1)  # pushes down where negative
        up = np.where(w < self.upper, np.maximum(above, 0), 0)
        down = np.where(w > self.lower, np.maximum(-below, 0), 0)
        size = np.maximum(up, down)
        scale = np.sqrt(self.reach**2 + self.l2 * (self.y @ self.y))
        share = np.divide(size, scale, out=np.zeros_like(size), where=scale > 0)
        share = np.where((w < self.lower) | (w > self.upper), np.inf, share)
        return np.where(~np.isfinite(w), np.inf, share).astype(float)

    def gap(self, w):
        """An upper bound of how far w is above the minimum, over `unit`.

        The dual point is the residual, moved as little as it takes to give the features in use the
        correlations that optimality asks for, and scaled until the others keep their thresholds.
        """
        w = np.asarray(w, dtype=REAL)
        r = self.y - self.Z @ w
        q = self.Z.T @ r
        wanted = self.l1 * np.sign(w) + self.l2 * w
        best = self._bound(w, r, r, q)
        # The free ones first: where others depend on them, not all wishes can be met.
        used = (self.l1 == 0) & (self.l2 == 0) & self._costly(w, q)
        u = r - shift(self.Z[:, used], (q - wanted)[used])
        best = min(best, self._bound(w, r, u, np.where(used, wanted, self.Z.T @ u)))
        used = ((w != 0) | (self.l1 == 0)) & self._costly(w, q)
        for _ in range(6):
            u = r - shift(self.Z[:, used], (q - wanted)[used])
            best = min(best, self._bound(w, r, u, np.where(used, wanted, self.Z.T @ u)))
            q_new = self.Z.T @ u
            more = ~used & self._costly(w, q_new)
            if not more.any():
                break
            kink = np.clip(q_new, -self.l1, self.l1)
            wanted = np.where(more & (w == 0), kink, wanted)
            used |= more
        return best

    def _terms(self, w, q):
        """Each feature's ``pen(w) + pen^*(q) - q w``; infinite where q is infeasible."""
        excess = np.maximum(np.abs(q) - self.l1, 0)
        best = np.where(q > 0, self.upper, -self.lower)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            best = np.where(self.l2 > 0, np.minimum(excess / self.l2, best), best)
            bent = np.where(self.l2 > 0, 0.5 * self.l2 * best**2, 0)
            conjugate = np.where(excess > 0, best * excess - bent, 0)
        return self.l1 * np.abs(w) + 0.5 * self.l2 * w * w + conjugate - q * w

    def _costly(self, w, q):
        return (self._terms(w, q) > 1e-16 * self.unit) & (self.reach > 0)

    def _bound(self, w, r, u, asked):
        q = self.Z.T @ u
        # Extended precision leaves 1e-18 of what was asked for; more is a fault and counts.
        q = np.where(np.abs(q - asked) <= 1e-15 * self.reach, asked, q)
        free = (self.l2 == 0) & np.isinf(np.where(q > 0, self.upper, self.lower))
        over = free & (np.abs(q) > self.l1)
        tau = np.min(self.l1[over] / np.abs(q[over]), initial=1.0)
        dual = np.where(over, np.clip(tau * q, -self.l1, self.l1), tau * q)
        away = r - tau * u
        return float((0.5 * (away @ away) + self._terms(w, dual).sum()) / self.unit)

    def minimum(self):
        """The least objective, by trying every face of the box and the kinks; 5^p least squares."""
        Z, y = self.Z.astype(float), self.y.astype(float)
        best = np.inf
        for pattern in product((-2, -1, 0, 1, 2), repeat=Z.shape[1]):
            state = np.array(pattern)
            w = np.where(state == 2, self.upper, np.where(state == -2, self.lower, 0)).astype(float)
            if not np.isfinite(w).all():
                continue
            free = np.abs(state) == 1
            A = np.vstack([Z[:, free], np.diag(np.sqrt(self.l2[free]).astype(float))])
            size = np.linalg.norm(A, axis=0)
            A = A / np.where(size > 0, size, 1)
            b = np.concatenate([y - Z @ w, np.zeros(free.sum())])
            linear = (self.l1[free] * state[free]).astype(float) / np.where(size > 0, size, 1)
            pseudo = np.linalg.pinv(A, rcond=1e-10)
            step = pseudo @ (b - pseudo.T @ linear)
            w[free] = step / np.where(size > 0, size, 1)
            w = np.clip(w, self.lower, self.upper).astype(float)
            best = min(best, float(self.objective(w)))
        return best


def shift(A, excess):
    """The shortest vector in the span of A's columns with these correlations to them."""
    size = np.sqrt((A**2).sum(axis=0))
    if not A.shape[1]:
        return np.zeros(len(A), dtype=REAL)
    U, s, Vt = np.linalg.svd((A / size).astype(float), full_matrices=False)
    kept = s > 1e-15 * s[0]
    U, s, Vt = (part.astype(REAL) for part in (U[:, kept], s[kept], Vt[kept]))
    d = np.zeros(len(A), dtype=REAL)
    for _ in range(3):  # refined, since the factors have double precision only
        d += U @ ((Vt @ (excess / size - A.T @ d / size)) / s)
    return d
