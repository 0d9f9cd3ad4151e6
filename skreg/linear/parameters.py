"""Parameters that linear estimators share; what each means is said here and nowhere else."""

from __future__ import annotations

import numbers
from typing import Any

from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions

from ..estimators.parameters import COUNT, NOT_NEGATIVE, SHARE, parameter, with_parameters
from ..selection.result import RULES

BOUNDS = "float, array-like of shape (n_features,) or None"


@with_parameters
class LinearParameters:
    """Of every linear estimator."""

    fit_intercept: bool = parameter(
        default=True, meaning="Whether to fit an intercept, which is never penalised."
    )
    standardize: bool = parameter(
        default=False,
        meaning="""
        Divide each feature by its (weighted, 1/n) standard deviation inside; `coef_` is on the
        original scale all the same.
        """,
    )
    penalty_factor: ArrayLike | None = parameter(
        default=None,
        constraint=["array-like", None],
        kind="array-like of shape (n_features,) or None",
        meaning="""
        Multiplies the penalty of each feature: 0 leaves it unpenalised, inf keeps it out. A Series
        or dict is taken by the names of its values, which are then those of X.
        """,
    )
    lower_bound: ArrayLike | None = parameter(
        default=None,
        constraint=[numbers.Real, "array-like", None],
        kind=BOUNDS,
        meaning="""
        Bounds of the coefficients on the original scale, ``lower_bound <= 0 <= upper_bound``; by
        name as well.
        """,
    )
    upper_bound: ArrayLike | None = parameter(
        default=None,
        constraint=[numbers.Real, "array-like", None],
        kind=BOUNDS,
        meaning="See `lower_bound`.",
    )


@with_parameters
class ElasticNetParameters(LinearParameters):
    """Of estimators with an L1 part, and of their paths."""

    precompute: Any = parameter(
        default=False,
        constraint=["boolean", StrOptions({"auto"}), "array-like"],
        kind='bool, "auto" or array-like of shape (n_features, n_features)',
        meaning="""
        Whether ``solver="cd"`` works on the Gram matrix of all features. False keeps to a working
        set, "auto" decides by shape, as ``solver="auto"`` always does. A matrix, which is used by
        both, is taken as the Gram matrix of the centered X with rows multiplied by the square roots
        of the weights, and checked on a few elements; with cross-validation it serves the fit on
        all rows.
        """,
    )
    max_iter: int | None = parameter(
        default=1000,
        constraint=[COUNT, None],
        kind="int or None",
        meaning="""
        Largest number of iterations at an alpha, Newton's rounds among them; None is 1000. The
        knots of a path that is followed exactly do not count.
        """,
    )
    copy_X: bool = parameter(
        default=True,
        meaning="""
        For compatibility: X is never written to, and copied only where its layout or dtype is none
        the engine reads.
        """,
    )
    tol: float = parameter(
        default=1e-4,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="""
        Largest relative duality gap that counts as converged, in the unit of `dual_gap_`. The
        solver aims far below it.
        """,
    )
    positive: bool = parameter(default=False, meaning="Whether coefficients must not be negative.")
    random_state: Any = parameter(
        default=None,
        constraint=["random_state"],
        kind="int, RandomState instance or None",
        meaning='For ``selection="random"``.',
    )
    selection: str = parameter(
        default="cyclic",
        constraint=[StrOptions({"cyclic", "random"})],
        kind='{"cyclic", "random"}',
        meaning='Order in which coordinates are visited; "random" means coordinate descent.',
    )
    solver: str = parameter(
        default="auto",
        constraint=[StrOptions({"auto", "cd"})],
        kind='{"auto", "cd"}',
        meaning="""
        "auto" is exact up to rounding and the faster one, "cd" is coordinate descent, but for
        supports too large for it.
        """,
    )


@with_parameters
class SmoothLossParameters(LinearParameters):
    """Of models of any smooth loss."""

    max_iter: int = parameter(
        default=100,
        constraint=[COUNT],
        kind="int",
        meaning="Largest number of Newton steps at an alpha.",
    )
    tol: float = parameter(
        default=1e-4,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="""
        Largest relative duality gap that counts as converged, in the unit of `dual_gap_`. The
        solver aims far below it.
        """,
    )
    verbose: bool | int = parameter(
        default=0,
        constraint=["verbose"],
        kind="bool or int",
        meaning="Whether the folds of a cross-validation are reported; a single fit has none.",
    )


@with_parameters
class ClassWeightParameters:
    """Of models of classes."""

    class_weight: Any = parameter(
        default=None,
        constraint=[dict, StrOptions({"balanced"}), None],
        kind='dict, "balanced" or None',
        meaning="""
        Weights of the classes, times `sample_weight`; a class that a dict lacks has 1. "balanced"
        makes all classes weigh the same in the rows that are trained on, those of each fold in a
        cross-validation.
        """,
    )


@with_parameters
class UselessParameters:
    """scikit-learn's of logistic regression and support vector machines, without effect here."""

    intercept_scaling: float = parameter(
        default=1,
        constraint=[Interval(numbers.Real, 0, None, closed="neither")],
        kind="float",
        meaning="For compatibility: the intercept is never penalised, whatever its scale.",
    )
    random_state: Any = parameter(
        default=None,
        constraint=["random_state"],
        kind="int, RandomState instance or None",
        meaning="For compatibility: nothing is random.",
    )


@with_parameters
class RelaxParameters:
    """Of estimators with an L1 penalty of given strength."""

    relax: float | None = parameter(
        default=None,
        constraint=[SHARE, None],
        kind="float or None",
        meaning="""
        Share in [0, 1] of the penalised fit in a relaxed one, gamma of R glmnet: the coefficients
        are ``relax * penalised + (1 - relax) * refit``, and so is the intercept. The refit is
        without a penalty, on the features whose penalised coefficients are not zero, of classes in
        one class at least, and those with a `penalty_factor` of 0, within the bounds. 0 is the
        refit alone; 1, or None, is the penalised fit. `dual_gap_` is then the larger of both fits',
        each in its own problem. Needs an L1 part.
        """,
    )


@with_parameters
class RelaxCVParameters:
    """Of estimators that choose an L1 penalty by cross-validation."""

    relax: bool | float | ArrayLike = parameter(
        default=False,
        constraint=["boolean", SHARE, "array-like"],
        kind="bool, float or array-like of shape (n_shares,)",
        meaning="""
        Shares in [0, 1] of the penalised fit in relaxed ones, gamma of R glmnet, of which one is
        chosen together with alpha: ``relax * penalised + (1 - relax) * refit``, where the refit is
        without a penalty on the features that are selected, in each fold anew. True is (0, 0.25,
        0.5, 0.75, 1), as in R glmnet. `relax_` is the chosen one; with ``rule="1se"`` that of the
        largest alpha at which any share comes within one standard error of the smallest error of
        all, and of these shares the largest. What else is fitted, `path_` and errors, is at the
        chosen share, `dual_gap_` the larger of both fits', each in its own problem;
        ``cv_result_.by_share`` has the errors at each. Needs an L1 part.
        """,
    )


@with_parameters
class CVParameters:
    """Of estimators that choose a penalty by cross-validation."""

    cv: Any = parameter(
        default=None,
        constraint=["cv_object", StrOptions({"loo", "approx_loo"})],
        kind='int, cross-validation splitter, iterable, "loo", "approx_loo" or None',
        meaning="""
        None is 5-fold, stratified for classes. "loo" leaves out one row at a time, which counts in
        the mean error by its weight. "approx_loo" does so by one Newton step from the fit on all
        rows, in about the time of one path; exactly for the squared error without an L1 part and
        bounds. With these the set of active features is held fixed in the approximation; so are in
        any case the scales of standardized features and the weights of classes (Rad and Maleki, J.
        R. Stat. Soc. B 82(4), 2020).
        """,
    )
    n_jobs: int | None = parameter(
        default=None,
        constraint=[numbers.Integral, None],
        kind="int or None",
        meaning="Folds in parallel; the result does not depend on it.",
    )
    rule: str = parameter(
        default="min",
        constraint=[StrOptions(set(RULES))],
        kind='{"min", "1se", "aic", "bic", "ebic"}',
        meaning="""
        Take the alpha of the smallest error, or the largest one within one standard error of it
        (Breiman et al., Classification and Regression Trees, 1984). The others do without folds:
        they take the smallest information criterion of the fits on all rows, by their deviance and
        degrees of freedom, "ebic" for more features than rows.
        """,
    )
    noise_variance: float | None = parameter(
        default=None,
        constraint=[Interval(numbers.Real, 0, None, closed="neither"), None],
        kind="float or None",
        meaning="""
        For the information criteria of a quantity: the variance of the noise, of other losses their
        dispersion. None takes that of the fit without a penalty, which needs more rows than
        features. With a `rule` that chooses by folds it is refused.
        """,
    )
    fold_weights: str = parameter(
        default="equal",
        constraint=[StrOptions({"equal", "size"})],
        kind='{"equal", "size"}',
        meaning="""
        What a fold counts in the mean of the errors: as much as any other, as in scikit-learn, or
        the sample weights of its held-out rows (their number without weights), as in R glmnet.
        Leave-one-out counts each row by its sample weight.
        """,
    )
    store_fold_coefs: bool | str = parameter(
        default=False, meaning="Keep each fold's coefficients in ``cv_result_.fold_coefs``."
    )
    store_path: bool | str = parameter(
        default="auto",
        constraint=["boolean", StrOptions({"auto"})],
        kind='bool or "auto"',
        meaning="""
        Keep `path_`; "auto" does for one target, and for all classes of a logistic regression.
        """,
    )
