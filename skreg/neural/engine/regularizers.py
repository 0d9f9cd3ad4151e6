"""Penalties on weight matrices, and how a network's layers carry them.

A penalty is stated at unit strength; the engine multiplies it by the `alpha` of its layer. What is
smooth goes into the gradient, what is not (the L1 part) into a proximal step after the update,
which makes weights exactly zero. Biases and the parameters of normalisation are never penalised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .layers import Matrix

# Below this norm the logarithm of WEISSI is held: it has no lower bound.
NORM_FLOOR = 1e-8


class WeightPenalty:
    """Base class of penalties on a weight matrix W of shape (n_in, n_out).

    The objective is *mean loss + sum over the layers of alpha times value(W)*. A subclass gives
    `value` and `gradient`, and `prox` if a part of it is not smooth.

    Attributes
    ----------
    separable : bool, default=False
        Whether `prox` works entry by entry, so that its step may be an array of W's shape. Adam
        then passes the step that each weight really takes, as a solution of the objective asks;
        else the learning rate.

    Examples
    --------
    >>> from skreg import MLPRegressor, WeightPenalty
    >>> class FourthPower(WeightPenalty):
    ...     def value(self, W):
    ...         return float((W**4).sum())
    ...     def gradient(self, W, out):
    ...         out[:] = 4 * W**3
    >>> model = MLPRegressor(penalty=FourthPower(), alpha=0.01)
    """

    separable = False

    def value(self, W: Matrix) -> float:
        """The penalty of W, its part that is not smooth included."""
        raise NotImplementedError(f"{type(self).__name__} must define value(W)")

    def gradient(self, W: Matrix, out: Matrix) -> Any:
        """Write the gradient of the smooth part into `out`, which is given full of zeros."""

    def prox(self, W: Matrix, step: Any) -> Matrix | None:
        """Minimise ``step * rest(V) + ||V - W||^2 / 2`` over V, `rest` being what is not smooth.

        Return V, or None after having changed W in place.
        """
        return W


class L2(WeightPenalty):
    """``||W||_F^2 / 2``."""

    def value(self, W: Matrix) -> float:
        """Half the sum of squares."""
        return 0.5 * float(np.vdot(W, W))

    def gradient(self, W: Matrix, out: Matrix) -> None:
        """W."""
        np.copyto(out, W)


class L1L2(WeightPenalty):
    """``l1_ratio ||W||_1 + (1 - l1_ratio) ||W||_F^2 / 2``; the Lasso at ``l1_ratio=1``.

    Parameters
    ----------
    l1_ratio : float
        In [0, 1].
    """

    separable = True

    def __init__(self, l1_ratio: float) -> None:
        self.l1_ratio = l1_ratio

    def value(self, W: Matrix) -> float:
        """Both parts."""
        squares = 0.5 * float(np.vdot(W, W))
        return self.l1_ratio * float(np.abs(W).sum()) + (1.0 - self.l1_ratio) * squares

    def gradient(self, W: Matrix, out: Matrix) -> None:
        """Of the squares alone."""
        np.multiply(W, 1.0 - self.l1_ratio, out=out)

    def prox(self, W: Matrix, step: Any) -> None:
        """Shrink every weight by ``step * l1_ratio``, to exactly zero where it is smaller."""
        threshold = step * self.l1_ratio
        W -= np.clip(W, -threshold, threshold)


class Weissi(WeightPenalty):
    """``(1 - l1_ratio) log ||W||_F + l1_ratio ||W / ||W||_F||_1``, with a floor under the norm.

    The sum over the layers does not change when weights are moved from one layer to another by
    factors whose product is one, nor does a network of positively homogeneous activations
    (Liu et al., arXiv:2008.02965).

    Parameters
    ----------
    l1_ratio : float
        In [0, 1].
    """

    def __init__(self, l1_ratio: float) -> None:
        self.l1_ratio = l1_ratio

    def value(self, W: Matrix) -> float:
        """Both parts."""
        norm = max(float(np.linalg.norm(W)), NORM_FLOOR)
        spread = float(np.abs(W).sum()) / norm
        return (1.0 - self.l1_ratio) * float(np.log(norm)) + self.l1_ratio * spread

    def gradient(self, W: Matrix, out: Matrix) -> None:
        """Of both parts; 0 stands for the slope of the absolute value at 0."""
        norm = float(np.linalg.norm(W))
        held = norm < NORM_FLOOR
        norm = max(norm, NORM_FLOOR)
        np.sign(W, out=out)
        out *= self.l1_ratio / norm
        if not held:
            spread = float(np.abs(W).sum()) / norm
            out += W * ((1.0 - self.l1_ratio - self.l1_ratio * spread) / norm**2)


def make_penalty(name: str | WeightPenalty | None, l1_ratio: float) -> WeightPenalty | None:
    """The penalty of a name; an object is itself."""
    if isinstance(name, WeightPenalty):
        kind = type(name)
        if kind.value is WeightPenalty.value:
            raise TypeError(f"penalty {kind.__name__} has no method value(W)")
        if kind.gradient is WeightPenalty.gradient and not has_prox(name):
            raise TypeError(f"penalty {kind.__name__} has no gradient(W, out) or prox(W, step)")
        return name
    if name is None:
        return None
    if name == "l2" or (name == "elasticnet" and not l1_ratio):
        return L2()
    if name in ("l1", "elasticnet"):
        return L1L2(1.0 if name == "l1" else l1_ratio)
    if name == "weissi":
        return Weissi(l1_ratio)
    known = ["elasticnet", "l1", "l2", "weissi"]
    raise ValueError(f"penalty {name!r} is unknown: give one of {known}, None or a WeightPenalty")


def has_prox(penalty: WeightPenalty) -> bool:
    """Whether a penalty has a proximal step of its own."""
    return type(penalty).prox is not WeightPenalty.prox


class Regularizer:
    """The penalties of all layers, applied to views of one flat vector of weights.

    Parameters
    ----------
    penalties : sequence of WeightPenalty or None
        One a weight matrix.
    alphas : sequence of float
        Their strengths.
    """

    def __init__(self, penalties: Sequence[WeightPenalty | None], alphas: Sequence[float]) -> None:
        self.penalties, self.alphas = penalties, alphas
        self.terms: list[tuple[int, WeightPenalty, float]] = []
        self.proximal, self.smooth, shared = [], [], set()
        for i, (penalty, alpha) in enumerate(zip(penalties, alphas, strict=True)):
            if penalty is None or alpha == 0.0:
                continue
            term = i, penalty, alpha
            self.terms.append(term)
            if has_prox(penalty):
                self.proximal.append(term)
            if not isinstance(penalty, L1L2) or penalty.l1_ratio != 1.0:
                self.smooth.append(term)
                shared.add(alpha if type(penalty) is L2 else None)
        everywhere = len(self.smooth) == len(penalties) and len(shared) == 1
        #: Strength of an L2 penalty that all layers share, which one pass over all weights adds.
        self.shared_l2 = shared.pop() if everywhere else None

    def value(self, weights: Sequence[Matrix]) -> float:
        """Sum of the penalties."""
        total = 0.0
        for i, penalty, alpha in self.terms:
            total += alpha * float(penalty.value(weights[i]))
        return total

    def add_gradient(
        self,
        weights: Sequence[Matrix],
        gradients: Sequence[Matrix],
        scratch: Sequence[Matrix],
    ) -> None:
        """Add the gradient of the smooth part; `scratch` has the shapes of the weights."""
        for i, penalty, alpha in self.smooth:
            out = scratch[i]
            out.fill(0.0)
            returned = penalty.gradient(weights[i], out)
            if returned is not None and returned is not out:
                raise TypeError(f"penalty {type(penalty).__name__}: gradient must write into out")
            out *= alpha
            gradients[i] += out

    def prox(self, weights: Sequence[Matrix], step: float, steps: Sequence[Any] | None) -> None:
        """Proximal step of every penalty that has one.

        `step` is the length of the gradient step just taken, `steps` that of each single weight
        where they differ.
        """
        for i, penalty, alpha in self.proximal:
            length = steps[i] * alpha if steps is not None and penalty.separable else step * alpha
            moved = penalty.prox(weights[i], length)
            if moved is not None and moved is not weights[i]:
                weights[i][...] = moved
