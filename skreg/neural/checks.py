"""Checks of an estimator's parameters; each error names the parameter and says what to do."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..estimators.runtime import warn
from .engine.constraints import Constraints
from .engine.images import ConvStage, Pair
from .engine.plan import Plan
from .engine.regularizers import L1L2, Regularizer, WeightPenalty, has_prox, make_penalty

HOOKS = ("on_fit_begin", "on_epoch_end", "on_fit_end")


def check_plan(estimator: Any, incremental: bool) -> Plan:
    """Resolve and check the parameters of an estimator, before any work.

    `incremental` is for `partial_fit`: one epoch, of which nothing is judged.
    """
    hidden = layer_sizes("hidden_layer_sizes", estimator.hidden_layer_sizes)
    convolutions = layer_sizes("conv_layer_sizes", getattr(estimator, "conv_layer_sizes", ()))
    n_hidden = len(convolutions) + len(hidden)
    n_weights = n_hidden + 1
    dropout = dropout_rates(estimator.dropout, n_hidden)
    alphas = numbers_per_layer("alpha", estimator.alpha, n_weights, "weight matrix")
    for alpha in alphas:
        if not 0.0 <= alpha < np.inf:
            raise ValueError(f"alpha must be finite and at least 0, got {alpha}")
    given = per_layer("penalty", estimator.penalty, n_weights, "weight matrix")
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
    if estimator.solver == "lbfgs":
        _check_full_batch(estimator, dropout, penalties)
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
    constraints = None
    if estimator.max_norm is not None or estimator.spectral_norm is not None:
        constraints = Constraints(estimator.max_norm, estimator.spectral_norm)
    noise = [*dropout, estimator.input_dropout, estimator.input_noise, estimator.mixup]
    return Plan(
        hidden=hidden,
        convolutions=convolutions,
        dropout=dropout,
        regularizer=Regularizer(penalties, alphas),
        constraints=constraints,
        dtype=dtype,
        keep_best=not incremental,
        noisy=any(noise),
        max_iter=1 if incremental else estimator.max_iter,
        max_fun=estimator.max_fun,
        shuffle=estimator.shuffle,
        tol=float(estimator.tol),
        n_iter_no_change=math.inf if incremental else estimator.n_iter_no_change,
        early_stopping=estimator.early_stopping and not incremental,
        weight_decay=float(estimator.weight_decay),
        clip_norm=estimator.clip_norm,
        input_noise=float(estimator.input_noise),
        mixup=float(estimator.mixup),
        adversarial_eps=float(estimator.adversarial_eps),
    )


def dropout_rates(value: Any, n_hidden: int) -> list[float]:
    """The rate of each hidden layer."""
    rates = numbers_per_layer("dropout", value, n_hidden, "hidden layer")
    for rate in rates:
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"dropout must be in [0, 1), got {rate}")
    return rates


def layer_sizes(name: str, value: Any) -> list[int]:
    """Units of each layer; a single number is one layer."""
    sizes = value.tolist() if isinstance(value, np.ndarray) else value
    sizes = [sizes] if isinstance(sizes, numbers.Integral) else list(sizes)
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, numbers.Integral) or size <= 0:
            raise ValueError(f"{name} must be > 0, and whole numbers, got {value}")
    return [int(size) for size in sizes]


def rows_and_columns(name: str, value: Any) -> Pair:
    """Size of a kernel or of a window; a single number is both."""
    sizes = layer_sizes(name, value)
    if len(sizes) > 2 or not sizes:
        raise ValueError(f"{name} must be a number, or rows and columns, got {value}")
    return sizes[0], sizes[-1]


def per_layer(name: str, value: Any, n_layers: int, what: str) -> list[Any]:
    """One value for every layer, or one a layer, as a list."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, str | WeightPenalty) or not isinstance(value, Iterable):
        return [value] * n_layers
    values = list(value)
    if len(values) != n_layers:
        raise ValueError(
            f"{name} has {len(values)} values where there are {n_layers}: give one number for all,"
            f" or one for each {what}"
        )
    return values


def numbers_per_layer(name: str, value: Any, n_layers: int, what: str) -> list[float]:
    """The same of numbers."""
    values = per_layer(name, value, n_layers, what)
    for entry in values:
        if isinstance(entry, bool) or not isinstance(entry, numbers.Real):
            raise ValueError(f"{name} must be numbers, got {entry!r}")
    return list(map(float, values))


def _check_full_batch(
    estimator: Any, dropout: list[float], penalties: Sequence[WeightPenalty | None]
) -> None:
    """Refuse what L-BFGS, which minimises one fixed objective, cannot do."""
    noise = {
        "dropout": any(dropout),
        "input_dropout": estimator.input_dropout,
        "input_noise": estimator.input_noise,
        "mixup": estimator.mixup,
        "augment": getattr(estimator, "augment", None),
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
    for penalty in penalties:
        if penalty is not None and has_prox(penalty) and not isinstance(penalty, L1L2):
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


def check_same_network(estimator: Any, needed: Sequence[Pair], stages: Sequence[ConvStage]) -> None:
    """Refuse to go on with weights or kernels of other shapes, or another normalisation."""
    fitted = "layer" if hasattr(estimator, "norm_scales_") else None
    fitted = "batch" if hasattr(estimator, "running_means_") else fitted
    if fitted != estimator.normalization and len(needed) > 1:
        raise ValueError(
            f"the fitted network has normalization={fitted!r}, so that it cannot go on with"
            f" {estimator.normalization!r}: set warm_start=False, or make a new estimator"
        )
    shapes = [tuple(np.shape(coef)) for coef in estimator.coefs_]
    if shapes != needed:
        raise ValueError(
            f"the weights of the fitted network have shapes {shapes}, where the sizes of its"
            f" layers, X and y ask for {needed}: set warm_start=False, or make a new estimator"
        )
    images = estimator._images  # None of a new network, and of weights that are set by hand
    if images is not None and images.stages != stages:
        raise ValueError(
            "the fitted network has kernels or windows of other shapes than conv_layer_sizes,"
            " kernel_size and pool_size ask for: set warm_start=False, or make a new estimator"
        )
