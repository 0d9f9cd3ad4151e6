"""Data far from order one is brought there by powers of two, and the answer is taken back.

Sums of squares of X, y and their products leave the range of floating point long before the values
do. So data that are far from order one are multiplied by powers of two, which rounds nothing:

    x_j = 2^-a_j X_j,    z = 2^-b y,    u = 2^-c s (weights),    w_j = 2^(b - a_j) v_j

is the same problem in v, with bounds and each part of the penalty in the new units. A problem is
bound to x, z and u, and its results are given in the user's units. Data of ordinary size, which is
told by the sums of squares that the checks make anyway, are left as they are: `ORDINARY`.

All columns share one exponent but for those that are smaller than others by `FAR`: they have their
own, and their factors make up for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..caching import cached_property
from ..objective.penalties import Penalty
from .moments import MomentMatrix
from .products import Array, is_sparse, with_data

Exponents = NDArray[np.int64]

# Data are of ordinary size up to 2^60 or down to 2^-60 on average: their fourth powers are far from
# the ends of float64, and coefficients from those of float32.
FAR = 60
# Exponents that factors are cut at, and the products of those with the units of the squared part:
# what is penalised more is zero in the units of the rest.
MOST, LARGEST_POWER = 900, 1000
# Targets whose sizes differ by more than this power of two have no squares in common; in float32 no
# range of coefficients.
APART, APART_IN_FLOAT32 = 400, 60
# A column is looked at that may be `FAR` smaller than the largest value, which is no more than
# this power of two above the average one.
PEAK = 12
# What is smaller than this share of the largest value may vanish.
NEGLIGIBLE = 1e-12


@dataclass(frozen=True, eq=False)
class PowersOfTwo:
    """Those of one set of data: exponents a, b and c of the module's text.

    Attributes
    ----------
    base : int
        Exponent that the columns share.
    columns : ndarray of int, shape (n_features,), or None
        Exponents of all columns, where some have their own.
    target, weight : int
    """

    base: int = 0
    columns: Exponents | None = None
    target: int = 0
    weight: int = 0

    @cached_property
    def ordinary(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.base or self.target or self.weight or self.columns is not None)

    def of_features(self, index: NDArray[np.intp]) -> PowersOfTwo:
        """Those of some of the columns."""
        return self if self.columns is None else replace(self, columns=self.columns[index])

    # Into the units of the engine ---------------------------------------------------------

    def scaled(self, X: Any, y: Array, weight: Array | None) -> tuple[Any, Array, Array | None]:
        """Data of order one; a copy of what changes."""
        if self.base or self.columns is not None:
            X = self._scaled_columns(X)
        if self.target:
            y = np.ldexp(y, -self.target)
        if self.weight and weight is not None:
            weight = np.ldexp(weight, -self.weight)
        return X, y, weight

    def _scaled_columns(self, X: Any) -> Any:
        if not is_sparse(X):
            return np.ldexp(X, -self._features)
        each = self._features
        if self.columns is not None:
            each = np.repeat(self.columns, np.diff(X.indptr))
        return with_data(X, np.ldexp(X.data, -each))

    def scaled_moments(self, moments: MomentMatrix) -> MomentMatrix:
        """Moments of data of order one."""
        if self.ordinary:
            return moments
        p = moments.n_features
        exponents = np.full(len(moments.reference), self.target, dtype=np.int64)
        exponents[:p] = self._features
        return moments.times(exponents, self.weight)

    def penalty(self, penalty: Penalty, standardize: bool, summed: bool) -> tuple[Penalty, int]:
        """Bounds and factors in the new units, and the exponent of two for the user's alphas.

        The least factor is of order one, and alphas make up for it. `summed` says that alpha is
        weighed against a sum over the rows.
        """
        if self.ordinary and (penalty.even or 2.0**-FAR < float(penalty.factors.min()) < 2.0**FAR):
            return penalty, 0
        features = self._features
        own, base = self.base - features, self.base  # how much smaller a column was
        l2_exponent: Any = 0
        if standardize:  # the penalty is on coefficients of no unit
            own, base = 0, 0
        if penalty.l1_ratio:
            alpha = base + self.target
            l2_exponent = self.target - (0 if standardize else features)
        else:
            own, alpha = 2 * own, 2 * base
        alpha += self.weight if summed else 0
        mantissas, exponents = np.frexp(penalty.factors)
        exponents = exponents.astype(np.int64) + own
        shift = int(exponents[mantissas > 0].min()) - 1 if mantissas.any() else 0
        shift = shift if abs(shift) > FAR else 0
        factors = np.ldexp(mantissas, np.minimum(exponents - shift, MOST))
        l2_units: Any = 1.0
        if np.any(l2_exponent):
            l2_units = np.ldexp(1.0, np.minimum(l2_exponent, LARGEST_POWER - _exponents(factors)))
        lower, upper = np.ldexp([penalty.lower, penalty.upper], features - self.target)
        scaled = replace(penalty, factors=factors, lower=lower, upper=upper, l2_units=l2_units)
        if not standardize:  # penalties over coefficients are in the units of squares of X
            squares = np.clip(2 * features, -LARGEST_POWER, LARGEST_POWER)
            scaled = scaled.measured_in(np.ldexp(np.ones(len(factors)), squares))
        return scaled, shift - alpha

    def gram(self, gram: Any) -> Any:
        """The user's Gram matrix of X."""
        if self.ordinary:
            return gram
        features = np.reshape(self._features, (-1, 1))
        return np.ldexp(np.asarray(gram), -(features + features.T))

    def start(self, coef: Array | None) -> Array | None:
        """The user's coefficients, features first."""
        if self.ordinary or coef is None:
            return coef
        return np.ldexp(coef.T, self._features - self.target).T

    # Back to the user's units -------------------------------------------------------------

    def coefficients(self, coefs: NDArray[Any]) -> NDArray[Any]:
        """Coefficients of shape (..., n_features, n_alphas)."""
        shift = self.target - np.reshape(self._features, (-1, 1))
        return times_power(coefs, shift, "the coefficients", axis=(-2, -1))

    def intercepts(self, intercepts: Array, dtype: Any) -> Array:
        """Intercepts, which must be numbers in `dtype` too."""
        return times_power(intercepts, self.target, "the intercepts", dtype)

    def errors(self, errors: Array) -> Array:
        """Squared errors."""
        return times_power(errors, 2 * self.target, "the squared errors")

    def weights(self, weights: Array) -> Array:
        """Sums of weights."""
        return times_power(weights, self.weight, "the weights")

    def leave_one_out(self, values: Array, errors: bool) -> Array:
        """Leave-one-out errors times weights, or predictions."""
        exponent = 2 * self.target + self.weight if errors else self.target
        return times_power(values, exponent, "the leave-one-out results") if exponent else values

    # --------------------------------------------------------------------------------------

    @property
    def _features(self) -> Any:
        """Exponents of the columns, one for all where they share it."""
        return self.base if self.columns is None else self.columns


ORDINARY = PowersOfTwo()


def too_strong(penalty: Penalty) -> NDArray[np.bool_]:
    """Features of a factor that was cut: zero beside the rest at any alpha above zero."""
    return penalty.factors >= 2.0 ** (MOST - 1)


def check_cut(penalty: Penalty, alphas: Array) -> None:
    """Refuse alphas, of the engine, at which a factor that was cut leaves something to the feature.

    Raises
    ------
    ValueError
        That names the feature.
    """
    cut = np.flatnonzero(too_strong(penalty) & penalty.movable)
    positive = alphas[alphas > 0]
    if not len(cut) or not len(positive):
        return
    weakest = float(positive.min()) * (penalty.l1_ratio or 1.0)
    if weakest < 2.0 ** (FAR - MOST):
        raise ValueError(
            f"column {cut[0]} of X is too unlike the others in size, or its penalty_factor in"
            " strength, for so small an alpha: scale the columns, or standardize=True"
        )


def are_ordinary(size: float | None, other: float | None) -> bool:
    """Whether two mean squares are known, and those of values of order one."""
    if size is None or other is None:
        return False
    return min(size, other) >= 4.0**-FAR and max(size, other) <= 4.0**FAR


def times_power(
    values: NDArray[Any],
    exponent: Any,
    what: str,
    dtype: Any = None,
    axis: tuple[int, ...] | None = None,
) -> NDArray[Any]:
    """Values times a power of two; refused where it leaves the range of their type.

    Those may leave it that are negligible beside others along `axis`, by default beside any.
    """
    with np.errstate(all="ignore"):
        size = np.abs(values)
        counts = size > NEGLIGIBLE * size.max(axis=axis, initial=0.0, keepdims=True)
        out = np.ldexp(values, exponent)
        kept = np.abs(out if dtype is None else out.astype(dtype))
        info = np.finfo(kept.dtype)
        lost = counts & ~((kept >= info.tiny) & (kept <= info.max))
    if lost.any():
        advice = ", or give X as float64" if info.dtype == np.float32 else ""
        raise ValueError(
            f"{what} are beyond the range of {info.dtype}, in the units of X and y: scale X or y"
            + advice
        )
    return out


def powers_of_two(
    X: Any, y: Array, weight: Array | None, mean_square: float | None = None
) -> PowersOfTwo:
    """Those of checked data.

    `mean_square` is that of X, where it and that of y are known to be ordinary. What is left
    to see are then columns and targets that are far smaller than the others.
    """
    heaviest = 0 if weight is None else exponent_of(float(weight.max()))
    known = mean_square is not None and not heaviest
    if known and not _may_have_small_columns(X, mean_square or 0.0):
        if y.ndim == 1 or _are_all_ordinary(y):
            return ORDINARY
        sizes = np.abs(y).max(axis=0)
        _refuse_unlike(sizes, X.dtype)
        target = exponent_of(float(sizes.max()))
        return PowersOfTwo(target=target) if target else ORDINARY
    targets = np.abs(y.reshape(len(y), -1)).max(axis=0, initial=0.0)
    return powers_of_sizes(_column_sizes(X), targets, heaviest, X.dtype)


def powers_of_sizes(columns: Array, targets: Array, heaviest: int, dtype: Any) -> PowersOfTwo:
    """Those of columns and targets of these sizes, and of weights of this exponent."""
    largest = float(columns.max(initial=0.0))
    top, base = _exponents(largest), exponent_of(largest)
    own = _exponents(columns)
    small = (columns > 0) & (own < top - FAR)
    _refuse_unlike(targets, dtype)
    units = PowersOfTwo(
        base=base,
        columns=np.where(small, own, base) if small.any() else None,
        target=exponent_of(float(targets.max(initial=0.0))),
        weight=heaviest,
    )
    return ORDINARY if units.ordinary else units


def _exponents(sizes: Any) -> Any:
    return np.frexp(sizes)[1].astype(np.int64)


def exponent_of(size: float) -> int:
    """The power of two nearest to a size, 0 where it is ordinary."""
    exponent = int(np.frexp(size)[1])
    return exponent if abs(exponent) > FAR else 0


def _are_all_ordinary(targets: Array) -> bool:
    """Whether sums of squares show at once that all targets are of ordinary size."""
    with np.errstate(over="ignore"):
        squares = np.einsum("ij,ij->j", targets, targets)
    least, most = len(targets) * 4.0 ** (1 - FAR), 4.0 ** (FAR - 1)
    return bool(squares.min(initial=most) >= least and squares.max(initial=least) <= most)


def _may_have_small_columns(X: Any, mean_square: float) -> bool:
    """Whether a column of X may be far smaller than the others; the first row often tells.

    Sums of squares tell the rest, which take about as long as the checks of X.
    """
    least = mean_square * 4.0 ** (PEAK - FAR)
    if is_sparse(X):
        return float(np.abs(X.data).min()) ** 2 <= least
    if float(np.abs(X[0]).min()) ** 2 > least:
        return False
    with np.errstate(over="ignore"):
        squares = np.einsum("ij,ij->j", X, X)
    return bool((squares <= len(X) * least).any())


def _column_sizes(X: Any) -> Array:
    """The largest absolute value of each column."""
    if not is_sparse(X):
        sizes = np.maximum(X.max(axis=0), -X.min(axis=0))
        return np.asarray(sizes, dtype=np.float64)
    sizes, used = np.zeros(X.shape[1]), np.flatnonzero(np.diff(X.indptr))
    if len(used):
        sizes[used] = np.maximum.reduceat(np.abs(X.data), X.indptr[used])
    return sizes


def _refuse_unlike(targets: Array, dtype: Any) -> None:
    """Refuse targets of which one's squares vanish beside another's: one alpha serves no two."""
    used = np.flatnonzero(targets)
    apart, advice = APART, ""
    if dtype == np.float32:
        apart, advice = APART_IN_FLOAT32, ", or give X as float64"
    if len(used) > 1 and np.ptp(_exponents(targets[used])) > apart:
        small, large = used[np.argmin(targets[used])], used[np.argmax(targets[used])]
        raise ValueError(
            f"y has targets too unlike in size to be fitted together: up to"
            f" {targets[large]:.2g} in column {large}, {targets[small]:.2g} in column {small};"
            f" scale them, or fit them one by one{advice}"
        )
