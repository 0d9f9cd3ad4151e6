"""The parameters that both networks have; what each means is said here and nowhere else."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ..estimators.parameters import COUNT, NOT_NEGATIVE, SHARE, parameter, with_parameters
from .engine.regularizers import WeightPenalty

RATE = Interval(numbers.Real, 0, 1, closed="left")
POSITIVE = Interval(numbers.Real, 0, None, closed="neither")


@with_parameters
class NetworkParameters:
    """Of multilayer perceptrons."""

    hidden_layer_sizes: Any = parameter(
        default=(100,),
        constraint=[COUNT, "array-like"],
        kind="int or array-like of int",
        meaning="Units of each hidden layer; ``()`` is a linear model.",
        kw_only=False,
    )
    activation: str = parameter(
        default="relu",
        constraint=[StrOptions({"identity", "logistic", "tanh", "relu"})],
        kind='{"identity", "logistic", "tanh", "relu"}',
        meaning="Of the hidden layers.",
        kw_only=False,
    )
    solver: str = parameter(
        default="adam",
        constraint=[StrOptions({"lbfgs", "sgd", "adam", "adamw"})],
        kind='{"adam", "adamw", "sgd", "lbfgs"}',
        meaning="""
        "adamw" is "adam" under the name it has with `weight_decay`. "lbfgs" takes all rows at
        once and works in float64; it refuses what is noise or works on single steps (dropout,
        noise, mixing, adversarial examples, batch normalisation, weight decay, bounds, clipping).
        """,
    )
    alpha: Any = parameter(
        default=0.0001,
        constraint=[NOT_NEGATIVE, "array-like"],
        kind="float or array-like of float, one a weight matrix",
        meaning="Strength of the penalty, >= 0.",
    )
    penalty: Any = parameter(
        default="l2",
        constraint=[
            StrOptions({"l2", "l1", "elasticnet", "weissi"}),
            WeightPenalty,
            list,
            tuple,
            None,
        ],
        kind='{"l2", "l1", "elasticnet", "weissi"}, WeightPenalty, None, or a list',
        meaning="""
        One for all weight matrices, or a list of one each.

        - "l2": ``||W||_F^2 / 2``;
        - "l1": ``||W||_1``, by a proximal step, so that weights become exactly zero (with
          "lbfgs" by splitting weights into two parts with bounds, which does the same);
        - "elasticnet": ``l1_ratio ||W||_1 + (1 - l1_ratio) ||W||_F^2 / 2``;
        - "weissi": ``(1 - l1_ratio) log ||W||_F + l1_ratio ||W / ||W||_F||_1``, which does not
          change when weights move from one layer to another, as a net of positively homogeneous
          units (identity, relu) does not either;
        - an object: a penalty of one's own.
        """,
    )
    l1_ratio: float = parameter(
        default=0.5,
        constraint=[SHARE],
        kind="float",
        meaning="Share of the L1 part, in [0, 1].",
    )
    weight_decay: float = parameter(
        default=0.0,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="""
        Decoupled decay: each step multiplies weights by ``1 - learning rate * weight_decay``.
        Under plain gradient descent this is the L2 penalty. Adam divides the gradient of a
        penalty by the size of the whole gradient, so that weights with large gradients are shrunk
        less; weight decay shrinks all at the same rate.
        """,
    )
    max_norm: float | None = parameter(
        default=None,
        constraint=[POSITIVE, None],
        kind="float or None",
        meaning="Largest Euclidean norm of the weights into a unit.",
    )
    spectral_norm: float | None = parameter(
        default=None,
        constraint=[POSITIVE, None],
        kind="float or None",
        meaning="""
        Largest singular value of a weight matrix: by power iteration after each step, exactly
        after each epoch.
        """,
    )
    dropout: Any = parameter(
        default=0.0,
        constraint=[RATE, "array-like"],
        kind="float or array-like of float, one a hidden layer",
        meaning="""
        Probability, in [0, 1), that a hidden unit is left out of a step. What stays is scaled by
        ``1 / (1 - dropout)``, so that nothing is to be done in prediction.
        """,
    )
    input_dropout: float = parameter(
        default=0.0,
        constraint=[RATE],
        kind="float",
        meaning="The same for features.",
    )
    normalization: str | None = parameter(
        default=None,
        constraint=[StrOptions({"batch", "layer"}), None],
        kind='{"batch", "layer"} or None',
        meaning="""
        Normalise each hidden layer before its activation: "batch" the units by mean and variance
        over the batch (in prediction by running averages), "layer" the rows. The statistics count
        rows, whatever their weights. Adversarial examples are a batch of their own, which moves
        the running averages, too.
        """,
    )
    input_noise: float = parameter(
        default=0.0,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="Standard deviation of Gaussian noise added to X in training, in the unit of X.",
    )
    mixup: float = parameter(
        default=0.0,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="""
        Train on mixtures of two rows and their targets, with a share drawn for each batch from
        the distribution Beta(mixup, mixup). 0 is none.
        """,
    )
    adversarial_eps: float = parameter(
        default=0.0,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="""
        Train half on the batch, half on the batch with every entry of X moved by this much in the
        direction that raises the loss.
        """,
    )
    batch_size: Any = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), COUNT],
        kind='int or "auto"',
        meaning="""
        Rows in a step; "auto" is 200, or all if there are fewer. More than there are is an error
        in `fit`, and all of them in `partial_fit`.
        """,
    )
    learning_rate: str = parameter(
        default="constant",
        constraint=[StrOptions({"constant", "invscaling", "adaptive", "cosine", "one_cycle"})],
        kind='{"constant", "invscaling", "adaptive", "cosine", "one_cycle"}',
        meaning="""
        With every solver but "lbfgs". "invscaling": after each epoch ``learning_rate_init / (t_ +
        1) ** power_t``. "adaptive": divided by 5 where training would stop for lack of progress.
        "cosine": down to 0 along half a cosine over `max_iter` epochs. "one_cycle": up from a
        25th to `learning_rate_init` in 30% of the steps, then down to almost 0. These two run all
        of `max_iter` epochs, with early stopping, too: before that their rate has not fallen.
        """,
    )
    learning_rate_init: float = parameter(
        default=0.001,
        constraint=[POSITIVE],
        kind="float",
    )
    power_t: float = parameter(
        default=0.5,
        constraint=[NOT_NEGATIVE],
        kind="float",
    )
    max_iter: int = parameter(
        default=200,
        constraint=[COUNT],
        kind="int",
        meaning='Largest number of epochs, or of iterations of "lbfgs".',
    )
    shuffle: bool = parameter(
        default=True,
        constraint=["boolean"],
        kind="bool",
        meaning="Whether each epoch takes the rows in a new order.",
    )
    random_state: Any = parameter(
        default=None,
        constraint=["random_state"],
        kind="int, RandomState instance or None",
        meaning="""
        Of the start, the validation split, the order of rows, dropout and noise. The same integer
        gives the same weights, to the last bit on one machine. Training that goes on
        (`partial_fit`, `warm_start`) goes on with its random numbers.
        """,
    )
    tol: float = parameter(
        default=1e-4,
        constraint=[NOT_NEGATIVE],
        kind="float",
        meaning="""
        Improvement of the objective, or of the validation score, that counts as progress; the
        largest entry of the gradient at which "lbfgs" stops, as it does after an iteration that
        gains less than ``min(2.2e-9, tol**2)`` of the objective.
        """,
    )
    verbose: Any = parameter(
        default=False,
        constraint=["verbose"],
        kind="bool or int",
        meaning="""
        Print a line after each epoch, that of `partial_fit` included: losses, and in `fit` the
        time left if all epochs are run.
        """,
    )
    warm_start: bool = parameter(
        default=False,
        constraint=["boolean"],
        kind="bool",
        meaning="""
        Go on from the last fit with the moments of its optimiser, its learning rate and random
        numbers: on the same data two fits are one fit of as many epochs. Exceptions: "cosine" and
        "one_cycle" begin anew, and so does "lbfgs" with what it knows of the curvature; early
        stopping restores the best weights in between, and goes on from them with the moments of
        the last epoch; a fit that has converged has `n_iter_no_change` epochs to improve in again.
        The best objective or score so far is forgotten where changed parameters or data make it
        mean another thing, and in `partial_fit`.
        """,
    )
    momentum: float = parameter(
        default=0.9,
        constraint=[SHARE],
        kind="float",
        meaning='Of "sgd", in [0, 1].',
    )
    nesterovs_momentum: bool = parameter(
        default=True,
        constraint=["boolean"],
        kind="bool",
    )
    early_stopping: bool = parameter(
        default=False,
        constraint=["boolean"],
        kind="bool",
        meaning="Stop when the validation score makes no progress, and restore the best weights.",
    )
    validation_fraction: float = parameter(
        default=0.1,
        constraint=[Interval(numbers.Real, 0, 1, closed="left")],
        kind="float",
        meaning="""
        Share of the rows held out for it, stratified, where no `X_val` is given to `fit`. A class
        of one row is trained on; where more classes than rows held out leave no strata, one row of
        each class is. Where one batch takes all rows (at most 1000), equal ones stay on one side
        as long as there are enough different ones to split.
        """,
    )
    scoring: Any = parameter(
        default=None,
        constraint=[str, callable, None],
        kind="str, callable or None",
        meaning="""
        The validation score: None is the accuracy, or R², "loss" the negative loss; a name or a
        function as in scikit-learn's searches. The weights of the rows that are held out and those
        of the classes count, in the validation loss, too. A scorer that takes no `sample_weight`
        goes without those of the classes; those of the rows are an error then. Early stopping
        refuses a score that is not finite.
        """,
    )
    beta_1: float = parameter(
        default=0.9,
        constraint=[RATE],
        kind="float",
        meaning="Of Adam.",
    )
    beta_2: float = parameter(
        default=0.999,
        constraint=[RATE],
        kind="float",
        meaning="Of Adam.",
    )
    epsilon: float = parameter(
        default=1e-8,
        constraint=[POSITIVE],
        kind="float",
        meaning="Of Adam.",
    )
    n_iter_no_change: float = parameter(
        default=10,
        constraint=[COUNT, Options(numbers.Real, {np.inf})],
        kind="int or inf",
        meaning="""
        Training stops after more epochs than these without progress, but for "cosine" and
        "one_cycle". With dropout, noise or mixtures of rows the objective scatters: it is then the
        mean over so many epochs that makes progress.
        """,
    )
    max_fun: int = parameter(
        default=15000,
        constraint=[COUNT],
        kind="int",
        meaning='Largest number of evaluations of "lbfgs".',
    )
    clip_norm: float | None = parameter(
        default=None,
        constraint=[POSITIVE, None],
        kind="float or None",
        meaning="Longer gradients are shortened to this norm.",
    )
    dtype: Any = parameter(
        default="float32",
        constraint=[
            StrOptions({"float32", "float64"}),
            Options(type, {np.float32, np.float64}),
            np.dtype,
        ],
        kind='{"float32", "float64"}',
        meaning='In which everything is computed and stored, but for "lbfgs".',
    )
    callbacks: Any = parameter(
        default=None,
        constraint=[list, tuple, None],
        kind="list or None",
        meaning="""
        Objects with some of ``on_fit_begin(model)``, ``on_epoch_end(model, epoch, history)``,
        which may return True to stop, and ``on_fit_end(model)``, by when all attributes are set;
        called by `fit`. scikit-learn's own callbacks are set by `set_callbacks` (since
        scikit-learn 1.9).
        """,
    )
