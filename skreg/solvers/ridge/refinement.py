"""Small least-squares problems to the last digit.

The ridge problem ``min_w 1/2 sum_i omega_i (y_i - x_i w)^2 + 1/2 sum_j l2_j w_j^2`` is the
square system in the coefficients and the residual r

    r + X w = y,        X^T Omega r - diag(l2) w = 0.

One QR factorisation of ``[Omega^(1/2) X; diag(l2)^(1/2)]`` with equilibrated columns solves it;
each step then evaluates both lines for the stored (r, w) in twice the working precision, or in
extended precision where the condition and the residual leave enough of it, and solves again for
the correction. Because r is an unknown like w, the rate of convergence is the unit roundoff times
the condition of X, not its square, and what it converges to is the solution rounded to double.
The intercept is a column of ones among the features: centring would round.

Cost: a QR of n + p rows, then about 60 n p flops a step; two or three steps as a rule.

Sources: Bjorck, "Iterative refinement of linear least squares solutions I", BIT 7 (1967);
Golub & Van Loan, Matrix Computations, 5.3.8; Ogita, Rump & Oishi, "Accurate sum and dot
product", SIAM J. Sci. Comput. 26 (2005), with the error-free product of Dekker and Veltkamp.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from ...data.design import Array
from ..numerics import EPS

SPLITTER = 2.0**27 + 1.0
MAX_STEPS = 12
# Of a type that is no longer than a double on some machines.
LONG_EPS = float(np.finfo(np.longdouble).eps)
# Share of the largest coefficient, columns of length one, that extended precision may lose.
EXTENDED_ERROR = EPS / 8


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


def compensated_residuals(
    X: Array, Y: Array, omega: Array, l2: Array, R: Array, W: Array
) -> tuple[Array, Array]:
    """What the stored R and W leave of the two lines: ``Y - XW - R``, ``X^T Omega R - l2 W``."""
    F, G = np.empty(R.shape), np.empty(W.shape)
    for k, (y, r, w) in enumerate(zip(Y.T, R.T, W.T, strict=True)):
        product, error = two_product(X.T, -w[:, None])
        terms, errors = np.vstack([y, -r, product]), np.vstack([np.zeros((2, len(y))), error])
        F[:, k] = compensated_sum(terms, errors)
        high, low = two_product(omega, r)
        product, error = two_product(X, high[:, None])
        shrink, shrink_error = two_product(l2, -w)
        errors = np.vstack([error + X * low[:, None], shrink_error])
        G[:, k] = compensated_sum(np.vstack([product, shrink]), errors)
    return F, G


def extended_residuals(
    X: Array, Y: Array, omega: Array, l2: Array, R: Array, W: Array
) -> tuple[Array, Array]:
    """The same in the extended precision of the processor, which has eleven bits more."""
    long, r, w = X.astype(np.longdouble), R.astype(np.longdouble), W.astype(np.longdouble)
    f = Y - long @ w - r
    g = long.T @ (omega[:, None] * r) - l2[:, None] * w
    return f.astype(np.float64), g.astype(np.float64)


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
    R, tau, _, _ = lapack.dgeqrf(B * scale)
    Q = lapack.dorgqr(R, tau)[0][:n]
    R = np.triu(R[:p])
    # LAPACK estimates the condition of R^T R, the square, from R.
    rcond = np.sqrt(lapack.dpocon(R, np.abs(R.T @ R).sum(axis=0).max(initial=0.0))[0])
    if not rcond > 4 * EPS * p:  # written so that NaN is refused as well
        return None

    def correction(f: Array, g: Array) -> tuple[Array, Array]:
        z = lapack.dtrtrs(R, -scale * g, trans=1)[0]
        weighted = root * f
        d = Q.T @ weighted - z
        return (weighted - Q @ d) / root, scale * lapack.dtrtrs(R, d)[0]

    scale, norms, root = scale[:, None], norms[:, None], root[:, None]
    rest, W = correction(Y, np.zeros((p, Y.shape[1])))
    # The rounding of y - Xw passes through R once, that of X^T Omega r twice.
    lost = LONG_EPS * (np.sqrt(omega @ Y**2) + np.sqrt(omega @ rest**2) / rcond) / rcond
    largest = np.abs(W * norms)[penalised].max(axis=0, initial=0.0)  # not of an intercept
    extended = (lost <= EXTENDED_ERROR * largest).all()
    residuals = extended_residuals if extended else compensated_residuals
    change, previous = np.zeros(Y.shape[1]), np.full(Y.shape[1], np.inf)
    left = np.arange(Y.shape[1])  # targets that are not there yet
    for _ in range(steps):
        known = residuals(X, Y[:, left], omega, l2, rest[:, left], W[:, left])
        dr, dw = correction(*known)
        change[left] = np.abs(dw * norms).max(axis=0)
        better = change[left] <= 0.5 * previous[left]
        left, dr, dw = left[better], dr[:, better], dw[:, better]
        rest[:, left] += dr
        W[:, left] += dw
        # What is left shrinks by the same rate again: stop when that is under the last bit.
        rate = np.maximum(change[left] / previous[left], 8 * EPS / rcond)
        previous[left] = change[left]
        left = left[(np.abs(dw) * rate > 0.25 * EPS * np.abs(W[:, left])).any(axis=0)]
        if not len(left):
            break
    return W if (change <= 1e-8 * np.abs(W * norms).max(axis=0)).all() else None
