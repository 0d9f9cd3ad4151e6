"""A plain solver of the quadratic problem with an L1 part, to read first and to check others with.

Coordinate descent: each coefficient in turn takes its minimum while the others are held (Friedman,
Hastie and Tibshirani, J. Stat. Softw. 33(1), 2010). Once a sweep no longer changes which
coefficients are zero, at a bound, positive or negative, the minimum on that pattern solves linear
equations, and it is the minimum of all where it satisfies the KKT conditions.
"""

import numpy as np


def minimise(G, c, penalty, n_sweeps=20_000, tolerance=1e-12):
    """Minimise ``1/2 w'Gw - c'w + sum_j l1_j |w_j| + l2_j/2 w_j^2`` in a box.

    `penalty` is a `ScaledPenalty`. Returns the coefficients.
    """
    w, q, pattern = np.zeros(len(c)), c.copy(), None
    for _ in range(n_sweeps):
        for j in range(len(c)):
            z = q[j] + G[j, j] * w[j]
            shrunk = np.sign(z) * max(abs(z) - penalty.l1[j], 0.0)
            curvature = G[j, j] + penalty.l2[j]
            new = shrunk / curvature if curvature > 0 else 0.0
            new = np.clip(new, penalty.lower[j], penalty.upper[j])
            q -= (new - w[j]) * G[j]
            w[j] = new
        fixed = (w == 0) | (w == penalty.lower) | (w == penalty.upper)
        before, pattern = pattern, np.where(fixed, 2.0 * (w != 0), 1.0) * np.sign(w)
        if before is None or np.any(before != pattern):
            continue
        free = ~fixed & (penalty.lower < penalty.upper)
        H = G[np.ix_(free, free)] + np.diag(penalty.l2[free])
        v = np.where(free, 0.0, w)
        v[free] = np.linalg.lstsq(H, (c - G @ v - penalty.l1 * np.sign(w))[free], rcond=None)[0]
        if violation(G, c, penalty, v) <= tolerance * np.abs(c).max(initial=1.0):
            return v
    raise AssertionError("no pattern satisfies the KKT conditions")


def violation(G, c, penalty, w):
    """The largest distance of a correlation from what its KKT condition asks for."""
    g = c - G @ w - penalty.l2 * w
    rise = np.where(w < penalty.upper, g - np.where(w < 0, -penalty.l1, penalty.l1), 0.0)
    fall = np.where(w > penalty.lower, np.where(w > 0, penalty.l1, -penalty.l1) - g, 0.0)
    outside = np.any((w < penalty.lower) | (w > penalty.upper))
    return np.inf if outside else float(np.max(np.maximum(rise, fall), initial=0.0))
