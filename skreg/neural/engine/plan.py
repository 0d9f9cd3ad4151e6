"""What a training is to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .constraints import Constraints
from .image_augmentation import ImageAugmentation
from .regularizers import Regularizer


@dataclass(frozen=True)
class Plan:
    """The parameters of an estimator as a training goes by them, resolved and checked.

    Attributes
    ----------
    hidden, convolutions : list
        Units of each dense hidden layer, and channels of each convolution before them.
    dropout : list
        The rate of each hidden layer, convolutions first.
    regularizer : Regularizer
        The penalties and their strengths.
    constraints : Constraints or None
    dtype : numpy.dtype
        Of the attributes; L-BFGS works in float64.
    keep_best : bool
        Whether the best weights are kept, for early stopping and for Ctrl-C, which is passed on
        otherwise.
    noisy : bool
        Whether each step draws at random what it is trained on, but for the order of the rows.
    augmentation : ImageAugmentation or None
        Changes of the images of a batch.

    The others are parameters of the estimators; `early_stopping` is False where there is none.
    """

    hidden: list[int]
    convolutions: list[int]
    dropout: list[float]
    regularizer: Regularizer
    constraints: Constraints | None
    dtype: Any
    keep_best: bool
    noisy: bool
    max_iter: int
    max_fun: int
    shuffle: bool
    tol: float
    n_iter_no_change: float
    early_stopping: bool
    weight_decay: float
    clip_norm: float | None
    input_noise: float
    mixup: float
    adversarial_eps: float
    augmentation: ImageAugmentation | None = None
