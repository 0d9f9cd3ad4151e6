"""The linear estimators: validation at the boundary, the engine below, attributes out."""

from ..estimators.warnings import GridEdgeWarning
from .elastic_net import ElasticNet, Lasso
from .elastic_net_cv import ElasticNetCV, LassoCV
from .functions import enet_path, lasso_path, regularization_path, ridge_path
from .ridge import Ridge
from .ridge_cv import RidgeCV

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "GridEdgeWarning",
    "Lasso",
    "LassoCV",
    "Ridge",
    "RidgeCV",
    "enet_path",
    "lasso_path",
    "regularization_path",
    "ridge_path",
]
