"""MultiTaskElasticNet and MultiTaskLasso: several targets that have their features in common."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils import metadata_routing
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from ..estimators.parameters import NOT_NEGATIVE, SHARE, parameter, with_parameters
from ..estimators.validation import refuse_no_table
from ..objective.group import GroupPenalty
from ..objective.penalties import Penalty
from ..paths.result import PathPoint
from .base import LinearModel, all_or_nothing
from .elastic_net import ElasticNet
from .parameters import ElasticNetParameters
from .reweighting import ReweightedParameters
from .streaming import in_blocks
from .training_data import TrainingData


@with_parameters
class MultiTask(ReweightedParameters, ElasticNetParameters, LinearModel):
    """Base of the estimators of several targets that make one problem, with one gap.

    The penalty is one of lengths, which have no bounds. What else is fixed is no parameter.
    """

    lower_bound: ClassVar[None] = None  # type: ignore[misc]  # a length has no sign
    upper_bound: ClassVar[None] = None  # type: ignore[misc]  # a length has no sign
    positive: ClassVar[bool] = False  # type: ignore[misc]  # a length has no sign
    precompute: ClassVar[str] = "auto"  # type: ignore[misc]  # as in scikit-learn
    adaptive: ClassVar[None] = None  # type: ignore[misc]  # of one target
    concave: ClassVar[None] = None  # type: ignore[misc]  # of one target
    concavity: ClassVar[None] = None  # type: ignore[misc]  # of one target
    selection: str = parameter(
        default="cyclic",
        constraint=[StrOptions({"cyclic", "random"})],
        kind='{"cyclic", "random"}',
        meaning='Order in which features are visited; "random" means block coordinate descent.',
    )
    solver: str = parameter(
        default="auto",
        constraint=[StrOptions({"auto", "cd"})],
        kind='{"auto", "cd"}',
        meaning="""
        "auto" is exact up to rounding and the faster one, "cd" is block coordinate descent.
        """,
    )

    _penalty: ClassVar[type[Penalty]] = GroupPenalty
    #: What to use for a single target.
    _of_one_target: ClassVar[str] = "ElasticNet"

    def _checked(self, X: Any, y: Any, sample_weight: Any, offset: Any) -> TrainingData:
        data = super()._checked(X, y, sample_weight, offset)
        self._check_shape(data.shape)
        if not hasattr(data, "y"):  # of moments
            return data
        return replace(data, y=data.y.reshape(-1, *data.shape))

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if not shape:
            raise ValueError(f"For mono-task outputs, use {self._of_one_target}")

    def _fit_data(self, data: Any, *params: Any) -> None:
        self._check_shape(data.shape)  # of moments, too
        super()._fit_data(data, *params)
        self.n_iter_: Any = int(np.max(vars(self)["n_iter_"]))

    def _keep_point(self, point: PathPoint, shape: tuple[int, ...]) -> None:
        super()._keep_point(point, shape)
        self.coef_ = np.atleast_2d(self.coef_)
        self._keep_one_gap()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output, tags.target_tags.single_output = True, False
        return tags


@with_parameters
class MultiTaskElasticNet(MultiTask, ElasticNet):
    """Elastic net of several targets whose coefficients of a feature enter together.

    Minimises, with the sample weights s scaled to sum to n_samples, v the penalty factors and w_j
    the coefficients of feature j in all targets, of the Euclidean length |w_j|,

        1/(2 n) sum_i s_i |y_i - b - x_i W|^2
            + alpha sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio)/2 |w_j|^2)

    so that a feature is in use for all targets or for none. With one target it is `ElasticNet`,
    with ``l1_ratio=0`` `Ridge` of each target.

    {parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_features)
    sparse_coef_ : sparse matrix or array of shape (n_targets, n_features)
    intercept_ : ndarray of shape (n_targets,)
        0.0 without an intercept.
    dual_gap_ : float
        Upper bound of how far the objective is above its minimum, divided by the weighted mean
        square of the centered targets, the sum of them all: the unit of `tol`.
    converged_ : bool
        Whether `dual_gap_` is at most `tol`.
    eps_ : float
        What `dual_gap_` is compared with: `tol`.
    n_iter_ : int
        Rounds of Newton's method, passes of descent.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    MultiTaskElasticNetCV : Chooses alpha and l1_ratio by cross-validation.
    ElasticNet : Targets that have a problem each.
    regularization_path : The whole path, with intercepts and gaps.

    Notes
    -----
    The lengths |w_j| determine the coefficients by a linear system, and minimise a convex function
    of as many unknowns as there are features in use, whatever the number of targets. ``solver=
    "auto"`` applies Newton's method to it, on the Gram matrix of all of up to 300 features or of a
    working set that starts small, at ``4/3 m^3 + 4 m^2 K`` flops a round with m features in use and
    K targets. ``solver="cd"`` is block coordinate descent on the same matrix.

    Examples
    --------
    >>> from sklearn.datasets import load_linnerud
    >>> from skreg import MultiTaskElasticNet
    >>> X, Y = load_linnerud(return_X_y=True)
    >>> model = MultiTaskElasticNet(alpha=10.0, l1_ratio=0.9).fit(X, Y)
    >>> model.coef_.shape, bool(model.dual_gap_ < 1e-10)
    ((3, 3), True)
    """

    alpha: float = parameter(
        default=1.0,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="""
        Strength of the penalty, >= 0. At 0 the answer is least squares, of minimum norm where it is
        not unique.
        """,
        kw_only=False,
    )
    l1_ratio: float = parameter(
        default=0.5,
        constraint=[SHARE],
        kind="float",
        meaning="Share of the penalty that is linear in the lengths, in [0, 1].",
    )

    __metadata_request__fit = {"check_input": metadata_routing.UNUSED}

    @all_or_nothing
    def fit(  # type: ignore[override]  # as in scikit-learn, without check_input
        self, X: Any, y: Any = None, sample_weight: Any = None
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            Blocks have y and weights with them.
        y : array-like of shape (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Weight k counts as the row k times, weight 0 as no row.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the input or a parameter is invalid; nothing of the fit is then kept.
        """
        if (rows := in_blocks(X, y, sample_weight, self._needs_no_rows)) is not None:
            return self._fit_blocks(rows)
        refuse_no_table(self, X)
        data = self._checked(X, y, sample_weight, None)
        self._forget()
        self._fit_data(data)
        return self

    @property
    def eps_(self) -> float:
        """See the class."""
        check_is_fitted(self)
        return float(self.tol)


@with_parameters
class MultiTaskLasso(MultiTaskElasticNet):
    """Lasso of several targets whose coefficients of a feature enter together.

    Minimises, with the sample weights s scaled to sum to n_samples, v the penalty factors and w_j
    the coefficients of feature j in all targets, of the Euclidean length |w_j|,

        1/(2 n) sum_i s_i |y_i - b - x_i W|^2 + alpha sum_j v_j |w_j|

    It is `MultiTaskElasticNet` with ``l1_ratio=1``, where attributes and method are described.

    {parameters}

    See Also
    --------
    MultiTaskElasticNet : Describes every attribute, and the method.
    MultiTaskLassoCV : Chooses alpha by cross-validation.

    Examples
    --------
    >>> from skreg import MultiTaskLasso
    >>> model = MultiTaskLasso(alpha=0.1).fit([[0, 1], [1, 0], [2, 0]], [[0, 0], [1, 1], [2, 2]])
    >>> model.coef_.round(2)
    array([[0.89, 0.  ],
           [0.89, 0.  ]])
    """

    l1_ratio: ClassVar[float] = 1.0  # type: ignore[misc]  # fixed, so no parameter any more
    _of_one_target: ClassVar[str] = "Lasso"
