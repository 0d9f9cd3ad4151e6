"""ElasticNet and Lasso."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.utils import metadata_routing
from sklearn.utils.validation import check_is_fitted

from ..estimators.parameters import NOT_NEGATIVE, SHARE, parameter, with_parameters
from ..objective.penalties import Penalty
from ..paths.problem import Problem
from .base import LinearRegressor, WarmStarted, all_or_nothing, fit_at
from .functions import enet_path
from .parameters import ElasticNetParameters, RelaxParameters
from .problems import elastic_net_problem, with_relax
from .reweighting import ReweightedParameters
from .streaming import FittedToMoments, in_blocks
from .training_data import TrainingData


@with_parameters
class ElasticNet(
    ReweightedParameters,
    RelaxParameters,
    ElasticNetParameters,
    WarmStarted,
    FittedToMoments,
    LinearRegressor,
):
    """Linear regression with L1 and squared L2 penalties.

    Minimises, with the sample weights s scaled to sum to n_samples and v the penalty factors,

        1/(2 n) sum_i s_i (y_i - b - x_i w)^2
            + alpha sum_j v_j (l1_ratio |w_j| + (1 - l1_ratio)/2 w_j^2)

    subject to ``lower_bound <= w <= upper_bound``. With several targets each has a problem of
    its own. `concave` puts another penalty in the place of the absolute values. Every method aims
    for a duality gap near rounding; Notes say which one is used.

    {parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
    sparse_coef_ : sparse matrix or array of shape (1, n_features) or (n_targets, n_features)
    intercept_ : float or ndarray of shape (n_targets,)
        An array where y has two dimensions, also with a single column; 0.0 without an intercept.
    dual_gap_ : float or ndarray of shape (n_targets,)
        Upper bound of how far the objective is above its minimum, divided by the weighted mean
        square of the centered target: the unit of `tol`.
    converged_ : bool or ndarray of shape (n_targets,)
        Whether `dual_gap_` is at most `tol`.
    n_iter_ : int or list of int
        Rounds of Newton's method and iterations of descent; the knots on the way to `alpha` where
        that is followed exactly.
    n_samples_seen_ : int
        Rows of all blocks, after `partial_fit` or `fit_moments`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names that are all strings.

    See Also
    --------
    ElasticNetCV : Chooses alpha and l1_ratio by cross-validation.
    regularization_path : The whole path, with intercepts and gaps.

    Notes
    -----
    ``solver="auto"`` takes, for n rows and p features,

    - without an L1 part and bounds the closed form, as `Ridge` does;
    - for one alpha with p > 100 a working set that starts small, unless the solution has many
      features or p <= 50 times the number of targets;
    - with p <= 300 and p <= 2 n, for a path also with p <= 1500 and p <= n, the Gram matrix: n p^2
      flops and p^2 numbers. On it the path of the Lasso, and with p > n the way to a single alpha,
      is followed from knot to knot (Osborne, Presnell and Turlach, IMA J. Numer. Anal. 20(3), 2000;
      Efron et al., Ann. Statist. 32(2), 2004), at p^2 flops a knot; all else is solved by Newton's
      method on the active set A (Hintermüller, Ito and Kunisch, SIAM J. Optim. 13(3), 2002),
      |A|^3 / 3 + |A| p a round;
    - otherwise the latter on a working set of m features, a batch of alphas at a time, checked by
      products of X with the residuals at one or two of them: n m + m^2 numbers.

    With `concave` weighted problems of this kind follow each other (local linear approximation, Zou
    and Li, Ann. Statist. 36(4), 2008), from that with all weights one, until weights and
    coefficients agree. `dual_gap_` is that of the problem whose weights are the slopes at `coef_`:
    zero at a stationary point, of which there may be several.

    What the duality gap does not certify, descent finishes. ``solver="cd"`` is coordinate descent
    with Newton steps on the support (Friedman, Hastie and Tibshirani, J. Stat. Softw. 33(1), 2010,
    for the former), and so is "auto" with bounds but no L1 part or with ``selection="random"``.
    Supports too large for a factor of their Gram matrix, and with bounds but no L1 part more
    features than rows, take Newton's method on the dual or conjugate gradients, whatever `solver`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import ElasticNet
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = ElasticNet(alpha=0.01, l1_ratio=0.9).fit(X, y)
    >>> bool(model.dual_gap_ < 1e-10)
    True
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
        meaning="Share of the L1 penalty, in [0, 1].",
    )

    _penalty: ClassVar[type[Penalty]] = Penalty

    __metadata_request__fit = {"check_input": metadata_routing.UNUSED}

    path = staticmethod(enet_path)

    @all_or_nothing
    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, check_input: bool = True
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowBlocks
            Blocks have y and weights with them. An array or a frame of Dask, with such a y, and a
            large memory map are read block by block too.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), float or None, default=None
            Weight k counts as the row k times, weight 0 as no row.
        check_input : bool, default=True
            False skips the checks of X and y, which must then be numbers and finite.

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
        data = TrainingData.check(self, X, y, sample_weight, check_input, self._multi_output)
        self._forget()
        self._fit_data(data)
        return self

    @property
    def _needs_no_rows(self) -> bool:
        """Whether moments are as good as rows, or nearly."""
        return isinstance(self.precompute, (str, bool)) and not self.warm_start

    def _fit_data(self, data: Any) -> None:
        bound = data.bind(self._problem(data.columns), self.precompute)
        point = fit_at(bound, self.alpha, self._start(bound))
        self._keep_fit(point, data.shape, bound.loss)
        self.n_iter_ = point.n_iter.tolist()

    def _problem(self, columns: Sequence[Any]) -> Problem:
        problem = elastic_net_problem(self, columns, self.l1_ratio, self._penalty)
        return with_relax(problem, self.relax)

    @property
    def sparse_coef_(self) -> Any:
        """Sparse representation of `coef_`, of the kind that scikit-learn is set to give."""
        check_is_fitted(self)
        as_array = get_config().get("sparse_interface") == "sparray"  # from scikit-learn 1.9
        kind = sparse.csr_array if as_array else sparse.csr_matrix
        return kind(np.atleast_2d(self.coef_))


@with_parameters
class Lasso(ElasticNet):
    """Linear regression with an L1 penalty.

    Minimises, with the sample weights s scaled to sum to n_samples and v the penalty factors,

        1/(2 n) sum_i s_i (y_i - b - x_i w)^2 + alpha sum_j v_j |w_j|

    subject to ``lower_bound <= w <= upper_bound``. It is `ElasticNet` with ``l1_ratio=1``, where
    attributes and method are described.

    {parameters}

    See Also
    --------
    ElasticNet : Describes every attribute, and the method.
    LassoCV : Chooses alpha by cross-validation.

    Examples
    --------
    >>> from skreg import Lasso
    >>> model = Lasso(alpha=0.1).fit([[0, 0], [1, 1], [2, 2]], [0, 1, 2])
    >>> model.predict([[3, 3]]).round(2)
    array([2.7])
    """

    l1_ratio: ClassVar[float] = 1.0  # type: ignore[misc]  # fixed, so no parameter any more
