"""Pictures of paths, of cross-validation and of networks, in scikit-learn's Display convention.

A Display is built from a result (never from an estimator's innards), keeps the data, and draws it
in ``plot``. Matplotlib is imported there and only there.
"""

from skreg.plotting.coefficients import CoefficientDisplay
from skreg.plotting.cv_curve import CVCurveDisplay
from skreg.plotting.penalty_geometry import PenaltyGeometryDisplay
from skreg.plotting.regularization_path import RegularizationPathDisplay
from skreg.plotting.shrinkage import ShrinkageDisplay
from skreg.plotting.training_history import TrainingHistoryDisplay
from skreg.plotting.weight_histogram import WeightHistogramDisplay

__all__ = [
    "CVCurveDisplay",
    "CoefficientDisplay",
    "PenaltyGeometryDisplay",
    "RegularizationPathDisplay",
    "ShrinkageDisplay",
    "TrainingHistoryDisplay",
    "WeightHistogramDisplay",
]
