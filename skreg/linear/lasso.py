"""Lasso."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from .elastic_net import ElasticNet


class Lasso(ElasticNet):
    """Linear regression with an L1 penalty.

    Minimises, with the sample weights s scaled to sum to n_samples and v the penalty factors,

        1/(2 n) sum_i s_i (y_i - b - x_i w)^2 + alpha sum_j v_j |w_j|

    subject to ``lower_bound <= w <= upper_bound``. It is `ElasticNet` with ``l1_ratio=1``, where
    parameters, attributes and method are described.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, >= 0.
    fit_intercept : bool, default=True
    precompute : bool, "auto" or array-like of shape (n_features, n_features), default=False
    copy_X : bool, default=True
    max_iter : int or None, default=1000
    tol : float, default=1e-4
    warm_start : bool, default=False
    positive : bool, default=False
    random_state : int, RandomState instance or None, default=None
    selection : {"cyclic", "random"}, default="cyclic"
    solver : {"auto", "cd"}, default="auto"
    standardize : bool, default=False
    penalty_factor : array-like of shape (n_features,) or None, default=None
    lower_bound, upper_bound : float, array-like of shape (n_features,) or None, default=None

    See Also
    --------
    ElasticNet : Describes every parameter and attribute.
    LassoCV : Chooses alpha by cross-validation.

    Examples
    --------
    >>> from skreg import Lasso
    >>> model = Lasso(alpha=0.1).fit([[0, 0], [1, 1], [2, 2]], [0, 1, 2])
    >>> model.predict([[3, 3]]).round(2)
    array([2.7])
    """

    _parameter_constraints: dict[str, Any] = {
        name: rule for name, rule in ElasticNet._parameter_constraints.items() if name != "l1_ratio"
    }

    l1_ratio = 1.0

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int | None = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        solver: str = "auto",
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower_bound: ArrayLike | None = None,
        upper_bound: ArrayLike | None = None,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound
