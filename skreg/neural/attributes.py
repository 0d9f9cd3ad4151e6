"""The attributes that hold a fitted network, and the parameters that the engine works with."""

from __future__ import annotations

from typing import Any

import numpy as np

from .engine.network import Parameters

# Attributes of the network, by the fields of `Parameters`.
NETWORK = {
    "weights": "coefs_",
    "biases": "intercepts_",
    "scales": "norm_scales_",
    "shifts": "norm_shifts_",
    "means": "running_means_",
    "variances": "running_variances_",
}
# What a fit leaves and the next one from scratch must not find.
RESULTS = ("loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_")
FITTED = (*NETWORK.values(), *RESULTS, "restored_epoch_", "_optimizer", "_progress", "history_")


def publish(estimator: Any, parameters: Parameters) -> None:
    """Set the attributes of the network."""
    for name, attribute in NETWORK.items():
        arrays = getattr(parameters, name)
        if arrays or name in ("weights", "biases"):
            setattr(estimator, attribute, arrays)


def parameters_of(estimator: Any) -> Parameters:
    """The network's parameters, from the attributes."""
    return Parameters(
        **{name: list(getattr(estimator, attribute, [])) for name, attribute in NETWORK.items()}
    )


def reconstruction(estimator: Any) -> dict[str, Any]:
    """Copies of the attributes of the network, for scikit-learn's callbacks."""
    return {
        attribute: [np.array(array) for array in getattr(estimator, attribute)]
        for attribute in NETWORK.values()
        if hasattr(estimator, attribute)
    }
