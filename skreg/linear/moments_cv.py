"""Cross-validation by moments of folds, for the estimators of the squared error."""

from __future__ import annotations

import numbers
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Self

from ..paths.problem import BoundProblem, Problem
from ..selection.pilot import Pilot
from ..selection.result import CRITERIA
from ..selection.summed_folds import cross_validate_sums
from .base import all_or_nothing
from .cv import CrossValidated, Evaluation, Routed, in_parallel
from .moments import Moments
from .problems import resolve_alphas, shares_to_relax
from .row_blocks import RowBlocks, folds_of_cv
from .streaming import MomentsData, warn_of_lost_digits


@dataclass(frozen=True, eq=False)
class MomentsOfFolds(MomentsData):
    """Moments of all rows, and of those that each fold holds out."""

    folds: Sequence[Moments] = ()


class CrossValidatedByMoments(CrossValidated):
    """Base of the estimators that choose a penalty by the moments of folds too."""

    alpha_: Any
    #: Whether errors are minus R².
    _explained: ClassVar[bool] = False

    @abstractmethod
    def _fit_data(self, data: Any, params: dict[str, Any]) -> None:
        """Choose, fit on all rows, and set the attributes."""

    @abstractmethod
    def _chosen_problem(self, columns: Sequence[Any]) -> Problem:
        """What was solved, for an X with these columns."""

    @all_or_nothing
    def fit_moments(self, moments: Moments | Sequence[Moments]) -> Self:
        """Choose the penalty by the moments of folds, with the answer that their rows would give.

        Parameters
        ----------
        moments : sequence of Moments
            Of the rows that each fold holds out, in the place of `cv`; or, where `rule` is an
            information criterion, those of all rows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is invalid, or the moments have lost their digits; nothing of the fit is
            then kept.
        """
        folds: Sequence[Any] = [moments] if isinstance(moments, Moments) else list(moments)
        if self.cv is not None:
            raise ValueError("fit_moments takes the folds as they are: leave cv at None")
        for one in folds:
            if not isinstance(one, Moments):
                raise TypeError(
                    f"moments must be a list of skreg.Moments, not of {type(one).__name__}"
                )
        return self._fit_folds(folds)

    @property
    def _needs_no_rows(self) -> bool:
        """Whether moments of contiguous folds are as good as rows, or nearly."""
        folds = self.cv is None or isinstance(self.cv, numbers.Integral)
        plain = isinstance(self.precompute, (str, bool, type(None)))
        return folds and plain and self.scoring is None

    def _fit_blocks(self, rows: RowBlocks) -> Self:
        """Choose by rows that come in blocks."""
        self._validate_params()
        if self.rule in CRITERIA:
            return self._fit_folds([rows.moments()])
        return self._fit_folds(rows.moments_of_folds(folds_of_cv(self.cv)))

    def _fit_folds(self, folds: Sequence[Moments]) -> Self:
        if getattr(self, "scoring", None) is not None:
            raise ValueError("without rows there is no scorer: leave scoring at None")
        if self.rule not in CRITERIA and len(folds) < 2:
            raise ValueError(
                "a cross-validation needs the moments of at least two folds, each of the rows that"
                f" it holds out, got {len(folds)}"
            )
        known = MomentsData.check(self, sum(folds[1:], folds[0]))
        data = MomentsOfFolds(known.moments, known.columns, known.powers, folds=folds)
        self._fit_data(data, {})
        chosen = replace(self._chosen_problem(data.columns), relax=vars(self).get("relax_"))
        warn_of_lost_digits(data, chosen, self.alpha_, self.coef_)
        return self

    def _evaluate(
        self, data: Any, problems: list[Problem], given: Any, routed: Routed
    ) -> Evaluation:
        if not isinstance(data, MomentsOfFolds):
            return super()._evaluate(data, problems, given, routed)

        def judged(
            bounds: list[BoundProblem], pilot: Pilot | None = None, is_first: bool = False
        ) -> Evaluation:
            candidates = [(one, resolve_alphas(given, one, self.eps)) for one in bounds]
            return candidates, cross_validate_sums(
                candidates,
                [data.powers.scaled_moments(one.matrix) for one in data.folds],
                [one.n_rows for one in data.folds],
                explained=self._explained,
                keep_coefs=bool(self.store_fold_coefs),
                fold_weights=self.fold_weights,
                run=partial(in_parallel, self.n_jobs, self.verbose),
                shares=None if is_first else shares_to_relax(self.relax, problems),
                pilot=pilot,
            )

        return self._adapted(judged, [data.bind(problem) for problem in problems])
