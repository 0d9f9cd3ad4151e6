"""Fits without rows: to moments that are given, and to those of blocks that come one by one."""

from __future__ import annotations

import numbers
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.utils import metadata_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from ..data.powers_of_two import PowersOfTwo, exponent_of, powers_of_sizes
from ..estimators.runtime import warn
from ..estimators.validation import refuse_no_table, unwrap
from ..objective.group import ScaledGroupPenalty
from ..paths.problem import BoundProblem, Problem
from ..rows.blocks import refuse_with_blocks
from ..rows.dask import is_dask
from ..solvers.quadratic.condition import digits_of_coefficients
from ..solvers.registry import choose
from .base import LinearModel, all_or_nothing
from .moments import Moments, check_block
from .row_blocks import MappedRows, RowBlocks

# Attributes of a fit that is put off until one of them is asked for.
LATE = {"coef_", "intercept_", "dual_gap_", "converged_", "n_iter_", "solver_"}
# With so few digits left a fit warns, and with fewer than this there is none.
FEW_DIGITS, FEWEST_DIGITS = 6.0, 1.0


@dataclass(frozen=True, eq=False)
class MomentsData:
    """Moments in the place of checked rows; see `TrainingData`."""

    moments: Moments
    columns: Sequence[Any]
    powers: PowersOfTwo
    X: None = None

    @classmethod
    def check(cls, estimator: Any, moments: Any) -> MomentsData:
        """Check an estimator's parameters and moments, and note on it how columns are called."""
        estimator._validate_params()
        if not isinstance(moments, Moments):
            raise TypeError(
                f"moments must be an instance of skreg.Moments, not {type(moments).__name__}"
            )
        given = getattr(estimator, "precompute", None)
        if not isinstance(given, (str, bool, np.bool_, type(None))):
            raise ValueError("precompute is a matrix, which moments have already: set it to False")
        p, names = moments.n_features, moments.feature_names
        lost = np.flatnonzero(moments.digits < FEWEST_DIGITS)
        if len(lost):
            j = int(lost[0])
            what = f"feature {j if names is None else names[j]!r}" if j < p else f"target {j - p}"
            raise ValueError(
                f"of the variance of {what} no digits are left after the rows that were"
                " subtracted: sum the rows that remain anew"
            )
        columns = range(p) if names is None else names.tolist()
        estimator.n_features_in_ = p
        vars(estimator).pop("feature_names_in_", None)
        if names is not None:
            estimator.feature_names_in_ = names
        return cls(moments, columns, powers_of_moments(moments))

    @property
    def one_target(self) -> bool:
        """Whether there is one."""
        return self.moments.n_targets == 1

    @property
    def given_weight(self) -> None:
        """Weights are in the moments."""
        return None

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the intercept."""
        return () if self.moments.one_target else (self.moments.n_targets,)

    def bind(self, problem: Problem, precompute: Any = None) -> BoundProblem:
        """The problem on these data."""
        one = self.moments
        return problem.bind_moments(one.matrix, one.n_rows, self.powers, one.dtype)


def powers_of_moments(moments: Moments) -> PowersOfTwo:
    """The powers of two that bring the data to order one."""
    matrix, p = moments.matrix, moments.n_features
    sizes = np.maximum(np.abs(matrix.mean), np.sqrt(matrix.spread))
    heaviest = exponent_of(moments.weight / moments.n_rows)
    return powers_of_sizes(sizes[:p], sizes[p:], heaviest, moments.dtype)


def _has_partial_fit(estimator: Any) -> bool:
    """Whether there is a `partial_fit`: no solver was asked for that needs rows."""
    estimator._refuse_solver_of_rows()
    return True


class FittedToMoments(LinearModel):
    """Base of the estimators that are fitted to moments, and to blocks of rows."""

    alpha: Any
    _moments: Moments

    @abstractmethod
    def _problem(self, columns: Sequence[Any]) -> Problem:
        """What is solved for an X with these columns."""

    @abstractmethod
    def _fit_data(self, data: Any) -> None:
        """Fit to checked data and set the attributes."""

    def _check_settings(self, data: MomentsData) -> None:
        """Refuse parameters that a fit to these moments would refuse."""
        problem = self._problem(data.columns)
        choose(problem.solver, problem.penalty.at(1.0), problem.loss, has_rows=False)

    def _refuse_solver_of_rows(self) -> None:
        """Raise an AttributeError where rows are needed, as of what an estimator has not."""

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        """Refuse what the shape of y after its rows may not be."""

    def __getattr__(self, name: str) -> Any:
        # Of a fit that was put off; why there is no `partial_fit`. Nothing else comes here.
        if name in LATE and "_moments" in vars(self):
            self._fit_late()
            if name in vars(self):
                return vars(self)[name]
        if name == "partial_fit":
            self._refuse_solver_of_rows()
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @all_or_nothing
    def _fit_late(self) -> None:
        self._fit_moments(self._moments)

    def _fit_moments(self, moments: Moments) -> None:
        data = MomentsData.check(self, moments)
        self._fit_data(data)
        warn_of_lost_digits(data, self._problem(data.columns), self.alpha, self.coef_)

    def _forget(self) -> None:
        """Drop what earlier blocks left."""
        for name in ("_moments", "n_samples_seen_"):
            self.__dict__.pop(name, None)

    def _checked(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> Any:
        moments = X if isinstance(X, Moments) else None
        if moments is None and (rows := in_blocks(X, y, sample_weight)) is not None:
            self._validate_params()
            moments = rows.moments()
        if moments is None:
            return super()._checked(X, y, sample_weight, offset)
        given = {"y": y, "sample_weight": sample_weight} if moments is X else {}
        for name, value in {**given, "offset": offset}.items():
            if value is not None:
                raise ValueError(
                    f"moments are sums over rows, with y and weights in them: leave out {name}"
                )
        return MomentsData.check(self, moments)

    def _fit_blocks(self, rows: RowBlocks) -> Self:
        """Fit to rows that come in blocks."""
        self._validate_params()
        self._forget()
        self._fit_moments(rows.moments())
        return self

    @all_or_nothing
    def fit_moments(self, moments: Moments) -> Self:
        """Fit to moments alone, with the same answer as a fit to their rows.

        Without a penalty, features that depend on each other to about seven digits count as
        dependent: sums of squares do not tell more.

        Parameters
        ----------
        moments : Moments

        Returns
        -------
        self
            `partial_fit` goes on from there.

        Raises
        ------
        ValueError
            If a parameter is invalid, or the moments have lost their digits; nothing of the fit is
            then kept.
        """
        self._forget()
        self._fit_moments(moments)
        self._moments, self.n_samples_seen_ = moments, moments.n_rows
        return self

    __metadata_request__partial_fit = {"decay": metadata_routing.UNUSED}

    @available_if(_has_partial_fit)
    @all_or_nothing
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, decay: float = 1.0) -> Self:
        """Add a block of rows; the fit is that to the rows of all blocks.

        The sums over its rows are taken at once, the problem is solved, with the parameters of
        then, when coefficients are first asked for. No row is kept, but (p + q + 1)^2 numbers for p
        features and q targets. After `fit`, which keeps no sums, it begins anew; `warm_start` does
        not matter.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
        sample_weight : array-like of shape (n_rows,), float or None, default=None
        decay : float, default=1.0
            Multiplies the weights of all rows of earlier blocks, in (0, 1]: a row that is k blocks
            old counts ``decay ** k`` times.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            If the input is invalid; earlier blocks are then kept as they were.
        """
        given: Any = unwrap(decay)
        if isinstance(given, bool) or not isinstance(given, numbers.Real):
            raise TypeError(f"decay must be a number in (0, 1], not {type(given).__name__}")
        if not 0 < decay <= 1:
            raise ValueError(f"decay must be in (0, 1], got {decay!r}")
        before = vars(self).get("_moments")
        self._validate_params()
        refuse_no_table(self, X)
        taken_by = type(self).__name__
        table, target, weight, names = check_block(X, y, sample_weight, None, taken_by)
        self._check_shape(target.shape[1:])
        if before is not None:
            known = before.feature_names
            own, other = (None if one is None else one.tolist() for one in (known, names))
            if own != other or table.shape[1] != before.n_features:
                validate_data(self, X, reset=False, skip_check_array=True)
            names = known
        block = Moments._of_checked(table, target, weight, names)
        if before is not None:
            block = (before if decay == 1.0 else before.times(decay)) + block
        self._check_settings(MomentsData.check(self, block))
        for name in LATE:
            self.__dict__.pop(name, None)
        self._moments, self.n_samples_seen_ = block, block.n_rows
        return self


def warn_of_lost_digits(data: MomentsData, problem: Problem, alpha: Any, coef: Any) -> None:
    """Say how many digits the coefficients have where that is few, as rows would not."""
    bound, rows = data.bind(problem), np.atleast_2d(coef)
    alphas = np.broadcast_to(bound.engine_alphas(np.atleast_1d(alpha)), len(rows))
    own = data.moments.digits[: data.moments.n_features]
    penalties = [bound.penalty.at(one) for one in alphas]
    first = penalties[0]
    if isinstance(first, ScaledGroupPenalty) and len(rows) > 1 and problem.relax in (None, 1.0):
        # Lengths of coefficients in several targets are curved, and with them coefficients are
        # certain of which the Gram matrix alone says nothing. How certain takes the second
        # derivatives in all targets at once: only features without that part are looked at.
        rows = np.where(first.by_length, 0.0, rows)
    digits = min(
        digits_of_coefficients(each, bound.design, penalty, own)
        for penalty, each in zip(penalties, rows, strict=True)
    )
    if digits < FEW_DIGITS:
        warn(
            f"about {max(int(digits), 0)} digits of the coefficients are certain: the features in"
            " use nearly depend on each other, of which sums of squares keep half the digits that"
            " rows do. Penalise more, leave features out, or fit to rows"
        )


def in_blocks(X: Any, y: Any, sample_weight: Any, mapped: bool = False) -> RowBlocks | None:
    """What `fit` is given where it is rows in blocks; None where it is not.

    `mapped` says whether a large memory map is to be read so.
    """
    if is_dask(X):
        return RowBlocks.from_dask(X, y, sample_weight)
    if mapped and MappedRows.serves(X, y):
        return MappedRows(X, y, sample_weight)
    if not isinstance(X, RowBlocks):
        return None
    refuse_with_blocks(y, sample_weight)
    return X
