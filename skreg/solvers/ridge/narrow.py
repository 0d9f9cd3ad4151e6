"""Ridge on float32 data: sums over the long side in float32, a certificate that counts their error.

A Gram matrix or a kernel takes half the time in float32. What that costs in digits is brought back
where it is cheap, and measured everywhere:

- of few targets, one step with residuals in float64 leaves all digits of float32 (`_refined`);
- of many, with more features than rows, two products with X in float64 would take longer than the
  kernel saves. For ``w = Z^T Omega u`` with any u the gap at the dual point alpha u is

      1/2 |y - Zw - alpha u|^2,

  which divides nothing by alpha: a product in float32 tells it well enough, and of very many
  targets the same of a few random mixtures of the rows (`_by_kernel`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from ...data.design import Array, Design
from ..base import AIM
from ..numerics import factored

# Rows and features a target from which on targets are few: of more of them, two products with X
# in float64 take as long as the Gram matrix or the kernel saves.
ROWS_A_TARGET = 64
# Reciprocal condition below which float64 is needed.
NARROW_RCOND = 1e-5
# Share of a float32 solution up to which one step makes it exact in float32.
SMALL_STEP = 1e-4
# Error of a sum of products in float32 over the sizes it is made from, as `NOISE` in float64.
NARROW_NOISE = 8.0 * float(np.finfo(np.float32).eps)
# The gap, as a share of the target's square, up to which a fit in float32 throughout is kept: half
# the square of the error of predictions, 1e-5, which a hundred of its units come to.
NARROW_GAP = 5e-11
# So many mixtures of the rows tell the square of a residual, surely to a factor.
MIXTURES, SURELY = 16, 128.0
# Fewer rows or features than this make a matrix that takes no time in float64 either.
LEAST = 64

# Coefficients, intercepts, residual sums of squares and gaps.
Found = tuple[NDArray[Any], Array, Array, Array]


def solve(
    design: Design,
    about_means: tuple[Array, Array, Array],
    correlated: Callable[[], Array],
    alpha: float,
) -> Found | None:
    """What makes a `RidgeSolution` of all targets, or None where float64 is needed.

    Parameters
    ----------
    design : Design
    about_means : tuple of ndarray
        From `Design.centred_target`.
    correlated : callable
        Gives what `Design.correlate` makes of the centred targets.
    alpha : float
        The same for all features.
    """
    n_targets = about_means[0].shape[1]
    if min(design.n_samples, design.n_features) >= ROWS_A_TARGET * n_targets:
        return _refined(design, about_means, correlated, alpha)
    return _by_kernel(design, about_means, alpha)


def _refined(
    design: Design,
    about_means: tuple[Array, Array, Array],
    correlated: Callable[[], Array],
    alpha: float,
) -> Found | None:
    """Few targets.

    One step squares the relative error. What is left of the equations after it is the error of the
    matrix times the step, so that no other product with X tells the gap.
    """
    Y, y_mean, squares = about_means
    tall = design.n_samples >= design.n_features
    known = design.narrow_gram() if tall else design.narrow_kernel()
    if known is None:
        return None
    M, size = known.entries, known.size
    solved, rcond = factored(_with_alpha(M, alpha, not tall and design.mean is not None))
    if solved is None or rcond < NARROW_RCOND:
        return None
    if tall:
        W = solved(correlated())
        rest = Y - design.predict(W)
        left = design.correlate(rest) - alpha * W
        step = solved(left)
        coefs = W + step
        rss = design.norm2(rest) - ((left + alpha * (W + coefs)) * step).sum(axis=0)
        length, norm = (step * step).sum(axis=0), 1.0
    else:
        W = solved(Y)  # in the dual
        step = solved(Y - design.predict(design.correlate(W)) - alpha * W)
        dual = W + step
        coefs = design.correlate(dual)
        rss = alpha**2 * design.norm2(dual)
        length, norm = design.norm2(step), size
    gaps = length * ((NARROW_NOISE * size) ** 2 * norm / (2.0 * alpha))
    small = np.abs(step).max(axis=0) <= SMALL_STEP * np.abs(W).max(axis=0)
    if not (small & (gaps <= AIM * squares)).all():
        return None
    return coefs, design.intercept(coefs, y_mean), np.maximum(rss, 0.0), gaps


def _by_kernel(
    design: Design, about_means: tuple[Array, Array, Array], alpha: float
) -> Found | None:
    """Many targets, by products in float32 alone."""
    Y, y_mean, squares = about_means
    if design.n_samples >= design.n_features:
        return None
    kernel = design.narrow_kernel()
    if kernel is None:
        return None
    M = _with_alpha(kernel.entries, alpha, design.mean is not None).astype(np.float32)
    factor, failed = lapack.spotrf(M.T, clean=0, overwrite_a=1)
    if failed:
        return None
    dual = lapack.spotrs(factor, Y.astype(np.float32, order="F"), overwrite_b=1)[0]
    coefs = kernel.correlate(dual)
    dual = alpha * dual.astype(np.float64)
    mixed, surely = _mixed_rows(len(Y), Y.shape[1])
    fitted, mean = kernel.predict(coefs, mixed)
    rest = Y - dual
    rest = (rest if mixed is None else mixed @ rest) - fitted
    gaps = 0.5 * design.omega[0] * np.einsum("ij,ij->j", rest, rest)
    if not (gaps <= NARROW_GAP * squares).all():
        return None
    # Of the products: |Zw| is off by so much, and w from what it is to be.
    rss, lengths = design.norm2(dual), np.einsum("ij,ij->j", coefs, coefs)
    hidden = 0.5 * NARROW_NOISE**2 * kernel.size * (lengths + rss / alpha)
    return coefs, y_mean - mean, rss, np.square(np.sqrt(surely * gaps) + np.sqrt(hidden))


def _mixed_rows(n_samples: int, n_targets: int) -> tuple[Array | None, float]:
    """Random mixtures of the rows, where they save time, and by what a gap from them is enlarged.

    Of normal mixtures the squares of a residual sum up to its own times a chi-squared variable of
    `MIXTURES` degrees of freedom over that number, which is below ``1 / SURELY`` once in 2e13.
    """
    if MIXTURES * (n_samples + n_targets) >= n_samples * n_targets:
        return None, 1.0
    mixed = np.random.RandomState(0).standard_normal((MIXTURES, n_samples))
    return mixed / math.sqrt(MIXTURES), SURELY


def _with_alpha(M: Array, alpha: float, centred: bool) -> Array:
    """The matrix of the equations; that of rows has a pivot for what no feature reaches."""
    M.flat[:: len(M) + 1] += alpha
    if centred:  # it does not reach the weights' root, which are even
        M += np.trace(M) / len(M) ** 2
    return M
