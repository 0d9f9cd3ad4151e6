"""Small least-squares problems to the last digit.

The ridge problem ``min_w 1/2 sum_i omega_i (y_i - x_i w)^2 + 1/2 sum_j l2_j w_j^2`` is the
square system in the coefficients and the residual r

    r + X w = y,        X^T Omega r - diag(l2) w = 0.

One QR factorisation of ``[Omega^(1/2) X; diag(l2)^(1/2)]`` with equilibrated columns solves it;
each step then evaluates both lines for the stored (r, w) in twice the working precision and
solves again for the correction. Because r is an unknown like w, the rate of convergence is the
unit roundoff times the condition of X, not its square, and what it converges to is the solution
rounded to double. The intercept is a column of ones among the features: centring would round.

Cost: a QR of n + p rows, then about 60 n p flops a step; two or three steps as a rule.

Sources: Bjorck, "Iterative refinement of linear least squares solutions I", BIT 7 (1967);
Golub & Van Loan, Matrix Computations, 5.3.8; Ogita, Rump & Oishi, "Accurate sum and dot
product", SIAM J. Sci. Comput. 26 (2005), with the error-free product of Dekker and Veltkamp.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack, solve_triangular

from ...data.design import Array
from ..numerics import EPS

SPLITTER = 2.0**27 + 1.0
MAX_STEPS = 12


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Rounded sum and its exact error."""
    s = a + b
    part = s - a
    return s, (a - (s - part)) + (b - part)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Rounded product and its exact error, for factors below about 1e300."""
    product = a * b
    t = SPLITTER * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = SPLITTER * b
    b_high = t - (t - b)
    b_low = b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def compensated_sum(terms: Array, errors: Array) -> Array:
    """Sum over the first axis of ``terms + errors``, pairwise, as if in double-double."""
    while (count := len(terms)) > 1:
        half = count // 2
        top, rest = terms[:half], terms[half : 2 * half]
        sums, rounding = two_sum(top, rest)
        low = errors[:half] + errors[half : 2 * half] + rounding
        if count % 2:
            sums[0], rounding = two_sum(sums[0], terms[-1])
            low[0] += errors[-1] + rounding
        terms, errors = sums, low
    return terms[0] + errors[0]


def residuals(
    X: Array, y: Array, omega: Array, l2: Array, r: Array, w: Array
) -> tuple[Array, Array]:
    """What the stored r and w leave of the two lines: ``y - Xw - r``, ``X^T Omega r - l2 w``."""
    product, error = two_product(X.T, -w[:, None])
    f = compensated_sum(np.vstack([y, -r, product]), np.vstack([np.zeros((2, len(y))), error]))
    high, low = two_product(omega, r)
    product, error = two_product(X, high[:, None])
    shrink, shrink_error = two_product(l2, -w)
    g = compensated_sum(
        np.vstack([product, shrink]), np.vstack([error + X * low[:, None], shrink_error])
    )
    return f, g


def refined_ridge(
    X: Array, Y: Array, omega: Array, l2: Array, steps: int = MAX_STEPS
) -> Array | None:
    """Solve to (nearly) correctly rounded coefficients, or say that the rank does not allow it.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Dense, unscaled; a column of ones for an intercept.
    Y : ndarray of shape (n_samples, n_targets)
    omega : ndarray of shape (n_samples,)
        Positive row weights.
    l2 : ndarray of shape (n_features,)
        Curvature of the penalty, >= 0.
    steps : int
        At most so many steps; 0 gives the plain solution by QR.

    Returns
    -------
    ndarray of shape (n_features, n_targets), or None when the columns are dependent to within
    the rounding of the data.
    """
    n, p = X.shape
    if p == 0:
        return np.zeros((0, Y.shape[1]))
    root = np.sqrt(omega)
    penalised = np.flatnonzero(l2)
    B = np.zeros((n + len(penalised), p))
    B[:n] = root[:, None] * X
    B[n + np.arange(len(penalised)), penalised] = np.sqrt(l2[penalised])
    norms = np.sqrt(np.einsum("ij,ij->j", B, B))
    if len(B) < p or not norms.all():
        return None
    scale = 1.0 / norms
    Q, R = np.linalg.qr(B * scale)
    # LAPACK estimates the condition of R^T R, the square, from R.
    rcond = np.sqrt(lapack.dpocon(R, np.abs(R.T @ R).sum(axis=0).max(initial=0.0))[0])
    if not rcond > 4 * EPS * p:  # written so that NaN is refused as well
        return None
    Q = Q[:n]

    def correction(f: Array, g: Array) -> tuple[Array, Array]:
        z = solve_triangular(R, -scale * g, trans="T", check_finite=False)
        weighted = root * f
        d = Q.T @ weighted - z
        return (weighted - Q @ d) / root, scale * solve_triangular(R, d, check_finite=False)

    W = np.empty((p, Y.shape[1]))
    for k, y in enumerate(Y.T):
        r, w = correction(y, np.zeros(p))
        change, previous = 0.0, np.inf
        for _ in range(steps):
            dr, dw = correction(*residuals(X, y, omega, l2, r, w))
            change = np.abs(dw * norms).max()
            if not change <= 0.5 * previous:
                break
            r, w = r + dr, w + dw
            # What is left shrinks by the same rate again: stop when that is under the last bit.
            rate = max(change / previous, 8 * EPS / rcond)
            if np.all(np.abs(dw) * rate <= 0.25 * EPS * np.abs(w)):
                break
            previous = change
        if not change <= 1e-8 * np.abs(w * norms).max():
            return None
        W[:, k] = w
    return W
