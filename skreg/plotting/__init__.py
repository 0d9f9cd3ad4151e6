"""Pictures of paths, of cross-validation and of networks, in scikit-learn's Display convention.

A Display is built from a result (never from an estimator's innards), keeps the data, and draws it
in ``plot``. Matplotlib is imported there and only there.
"""

from .coefficients import CoefficientDisplay
from .cv_curve import CVCurveDisplay
from .filters import FilterDisplay
from .penalty_geometry import PenaltyGeometryDisplay
from .regularization_path import RegularizationPathDisplay
from .shrinkage import ShrinkageDisplay
from .training_history import TrainingHistoryDisplay
from .weight_histogram import WeightHistogramDisplay

__all__ = [
    "CVCurveDisplay",
    "CoefficientDisplay",
    "FilterDisplay",
    "PenaltyGeometryDisplay",
    "RegularizationPathDisplay",
    "ShrinkageDisplay",
    "TrainingHistoryDisplay",
    "WeightHistogramDisplay",
]
