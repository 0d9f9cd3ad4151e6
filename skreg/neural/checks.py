"""Checks of an estimator's parameters; each error names the parameter and says what to do."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..estimators.runtime import warn
from ..estimators.validation import unwrap
from .engine.regularizers import ElasticNet, WeightPenalty, has_prox, make_penalty

HOOKS = ("on_fit_begin", "on_epoch_end", "on_fit_end")


@dataclass(frozen=True)
class Config:
    """The parameters that are one value a layer, resolved and checked.

    Attributes
    ----------
    hidden : list of int
        Units of each hidden layer.
    dropout : list of float
        One a hidden layer.
    alphas, penalties : list
        One a weight matrix.
    dtype : numpy.dtype
    """

    hidden: list[int]
    dropout: list[float]
    alphas: list[float]
    penalties: list[WeightPenalty | None]
    dtype: Any


def check_config(estimator: Any) -> Config:
    """Resolve and check the parameters of an estimator, before any work."""
    hidden = hidden_sizes(estimator.hidden_layer_sizes)
    dropout = dropout_rates(estimator.dropout, len(hidden))
    alphas = per_layer("alpha", estimator.alpha, len(hidden) + 1, "weight matrix")
    for alpha in alphas:
        if not 0.0 <= alpha < np.inf:
            raise ValueError(f"alpha must be finite and at least 0, got {alpha}")
    given = estimator.penalty
    if not isinstance(given, list | tuple):
        given = [given] * (len(hidden) + 1)
    elif len(given) != len(hidden) + 1:
        raise ValueError(_wrong_number("penalty", len(given), len(hidden) + 1, "weight matrix"))
    penalties = [make_penalty(penalty, estimator.l1_ratio) for penalty in given]
    if estimator.weight_decay * estimator.learning_rate_init > 1.0:
        raise ValueError(
            f"weight_decay={estimator.weight_decay} takes more than all of each weight in a step"
            f" of learning_rate_init={estimator.learning_rate_init}: lower one of them"
        )
    if "weissi" in given and estimator.activation in ("tanh", "logistic"):
        warn(
            f"penalty='weissi' is meant for positively homogeneous activations (relu, identity);"
            f" with {estimator.activation!r} the network changes when its layers are rescaled, and"
            " the penalty does not"
        )
    dtype = np.dtype(estimator.dtype)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {dtype}")
    config = Config(hidden, dropout, alphas, penalties, dtype)
    if estimator.solver == "lbfgs":
        check_full_batch(estimator, config)
    if estimator.normalization == "batch" and estimator.batch_size == 1:
        raise ValueError(
            "normalization='batch' needs the statistics of a batch: raise batch_size=1"
        )
    if estimator.early_stopping and not 0.0 < estimator.validation_fraction < 1.0:
        raise ValueError(
            "early_stopping=True needs a validation_fraction in (0, 1), got"
            f" {estimator.validation_fraction}"
        )
    for callback in estimator.callbacks or ():
        if not any(callable(getattr(callback, hook, None)) for hook in HOOKS):
            raise TypeError(f"callbacks: {callback!r} has none of the methods {', '.join(HOOKS)}")
    return config


def dropout_rates(value: Any, n_hidden: int) -> list[float]:
    """The rate of each hidden layer."""
    rates = per_layer("dropout", value, n_hidden, "hidden layer")
    for rate in rates:
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"dropout must be in [0, 1), got {rate}")
    return rates


def hidden_sizes(value: Any) -> list[int]:
    """Numbers of hidden units; a single number is one layer."""
    value = unwrap(value)
    sizes = [value] if isinstance(value, numbers.Integral) else list(value)
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, numbers.Integral) or size <= 0:
            raise ValueError(f"hidden_layer_sizes must be > 0, and whole numbers, got {value}")
    return [int(size) for size in sizes]


def per_layer(name: str, value: Any, n_layers: int, what: str) -> list[float]:
    """One number for every layer, or one a layer, as a list."""
    value = unwrap(value)
    if isinstance(value, numbers.Real):
        return [float(value)] * n_layers
    values = list(value)
    if len(values) != n_layers:
        raise ValueError(_wrong_number(name, len(values), n_layers, what))
    for entry in values:
        if isinstance(entry, bool) or not isinstance(entry, numbers.Real):
            raise ValueError(f"{name} must be numbers, got {entry!r}")
    return [float(entry) for entry in values]


def _wrong_number(name: str, n_given: int, n_needed: int, what: str) -> str:
    return (
        f"{name} has {n_given} values where there are {n_needed}: give one number for all, or one"
        f" for each {what}"
    )


def check_full_batch(estimator: Any, config: Config) -> None:
    """Refuse what L-BFGS, which minimises one fixed objective, cannot do."""
    noise = {
        "dropout": any(config.dropout),
        "input_dropout": estimator.input_dropout,
        "input_noise": estimator.input_noise,
        "mixup": estimator.mixup,
    }
    steps = {
        name: getattr(estimator, name)
        for name in ("adversarial_eps", "weight_decay", "max_norm", "spectral_norm", "clip_norm")
    }
    reasons = [(noise, "is noise in the objective"), (steps, "works on single steps")]
    reasons.append(({"normalization": estimator.normalization == "batch"}, "needs mini-batches"))
    for group, why in reasons:
        for name, on in group.items():
            if on:
                raise ValueError(
                    f"{name}={getattr(estimator, name)!r} {why}, which solver='lbfgs' cannot"
                    " work with: take another solver, or leave it out"
                )
    for penalty in config.penalties:
        if penalty is not None and has_prox(penalty) and not isinstance(penalty, ElasticNet):
            raise ValueError(
                f"penalty {type(penalty).__name__} has a proximal step of its own, which"
                " solver='lbfgs' cannot take: take another solver"
            )


def resolve_batch_size(batch_size: Any, n_rows: int, clip: bool) -> int:
    """Rows in a batch; more than there are is an error unless `clip`."""
    if batch_size == "auto":
        return min(200, n_rows)
    if batch_size > n_rows and not clip:
        raise ValueError(
            f"batch_size={batch_size} is larger than the {n_rows} rows to train on: lower it, or"
            " take batch_size='auto'"
        )
    return min(int(batch_size), n_rows)


def check_same_network(estimator: Any, units: Sequence[int]) -> None:
    """Refuse to go on with a network of another shape, or another normalisation."""
    fitted = "layer" if hasattr(estimator, "norm_scales_") else None
    fitted = "batch" if hasattr(estimator, "running_means_") else fitted
    if fitted != estimator.normalization and len(units) > 2:
        raise ValueError(
            f"the fitted network has normalization={fitted!r}, so that it cannot go on with"
            f" {estimator.normalization!r}: set warm_start=False, or make a new estimator"
        )
    shapes = [tuple(np.shape(coef)) for coef in estimator.coefs_]
    needed = list(pairwise(units))
    if shapes != needed:
        raise ValueError(
            f"the weights of the fitted network have shapes {shapes}, where hidden_layer_sizes,"
            f" X and y ask for {needed}: set warm_start=False, or make a new estimator"
        )
