"""Which of two routes a path takes: one Gram matrix of all features, or batches of alphas.

One Gram matrix costs the same however few features are active, batches of alphas cost what the
active sets ask for. Both are estimated in seconds from the shape, the grid and the active sets.
These are not known in advance: half of what a random design of this shape has is typical of data
with noise, and a handful of a few strong features without. Where the features most correlated with
the target leave nothing of it, that is the second case; where these depend on each other, batches
take long. A path that would be cheap in the second case starts in batches, and changes to the Gram
matrix as soon as the growth of its active set shows that this pays.

Where doubling p doubles the active set, as noise does on a deep grid until p reaches the rows,
no route keeps the work from growing with p^3: each of p knots or Newton steps takes p^2. From
400 x 200 to 400 x 400 paths take 2.8 times as long here, 10 to 11 times with coordinate descent.

The constants were measured on one core of a server, on designs with 100 to 5000 rows and 100 to
2000 features, correlations of 0 and 0.5, dense and sparse coefficients, and grids down to a tenth,
a hundredth and a thousandth of alpha_max. Four in five estimates are within a third of the time
measured. Only ratios matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv

from ...data.design import Array, Design
from ...objective.penalties import Penalty
from ..base import OneTarget
from ..tolerances import DEPENDENT_IN_SUPPORT
from .working_set import GRAM_LIMIT

# Up to so many features, with half as many rows, the Gram matrix and its certificates cost less
# than the fixed part of batches, so that nothing need be estimated.
ALWAYS_ON_GRAM = 100
# Beyond so many a knot of the homotopy, p^2 flops, is dearer than a Newton step of the elastic net.
MOST_FEATURES = 1500

# Making the Gram matrix, an entry of X and a feature: two flops at full speed.
GRAM_ENTRY = 2e-11
# The same where X is sparse, whose entries are looked up one by one, or in blocks made dense.
GRAM_SPARSE_ENTRY, GRAM_BLOCK_ENTRY = 2.7e-10, 5e-11
# A certificate on the Gram matrix, an alpha and an entry of it.
CERTIFIED_ENTRY = 1e-10
# A feature that is active in the end, in knots of the homotopy: calls, and an entry of the matrix.
KNOT, KNOT_ENTRY = 2.5e-5, 6e-11
# A Newton step on the Gram matrix of all features: calls, a feature times an active one, and a pair
# of active ones.
NEWTON, NEWTON_ENTRY, NEWTON_PAIR = 4e-5, 3.4e-9, 1.8e-9
# An alpha in a batch: calls, and a pair of active features, for steps and for the working set.
BATCHED, BATCHED_PAIR = 5e-5, 1.05e-8
# All KKT checks of 100 alphas in batches, an entry of X; per alpha.
CHECKED_ENTRY = 6e-11
# Residuals in batches, a row, where X is sparse; of dense columns they are a small part.
SPARSE_ROW = 8e-9

# With noise a path down to alpha_max over this has half as many active features as it can have at
# most: from 0.5 to 0.9 of them at ten times the depth, from 0.02 to 0.6 at a tenth of it.
HALF_AT = 100.0
# Active features where the target has few strong ones and no noise.
HANDFUL = 10
# Few features are all there is where so many, the most correlated with the target, leave so little
# of it that noise of that size gives the others correlations this many times below the last alpha.
PROBED, UNSEEN = 32, 3.0
# A support below this costs next to nothing, and its growth tells nothing yet.
TELLING = 32
# With no fewer rows than features batches take two to five times as long as estimated where many
# features are noise or depend on each other, and a Gram matrix too many costs less than a late one.
BATCHES_LONGER = 2.5
# Growth is measured since alpha was so many times as large, and expected to go on while it falls to
# one eighth: a support that has stopped to grow would else be taken for one that fills up.
MEASURED_OVER, EXPECTED_OVER = 2.0, 8.0
# A path leaves batches where the rest costs less than this share: growth slows down more often than
# not, and to wait costs little while the active set is small.
CLEARLY = 0.7
# Up to so many features folds on Gram matrices were quicker whatever the grid, up to four times.
ALWAYS_IN_FOLDS = 800
# In estimates Gram matrices may take so many times as long as rows where they are chosen for folds,
# which was right for all of 800 to 2000 features and grids down to a twentieth to a thousandth.
FOLDS_MISJUDGED = 1.25
# One alpha in so many is looked at: a look takes 20 us, as much as half a Newton step.
LOOKS_EVERY = 5


class Shape(NamedTuple):
    """What a cost depends on besides the active sets.

    Attributes
    ----------
    checked : float
        The cost of an alpha in a batch whatever is active: its share of residuals and KKT checks.
    n_features : int
    most : int
        The largest active set.
    gram : float
        The cost of making the Gram matrix; infinite where it is no choice.
    followed : bool
        Whether the path is that of the homotopy, else one of Newton steps.
    """

    checked: float
    n_features: int
    most: int
    gram: float
    followed: bool

    @classmethod
    def of(cls, design: Design, penalty: Penalty) -> Shape:
        """That of a design, whose Gram matrix may be there already."""
        n, p, entries = design.n_samples, design.n_features, float(design.n_stored)
        made = GRAM_ENTRY * entries
        if design.sparse:
            made = min(GRAM_SPARSE_ENTRY * entries, GRAM_BLOCK_ENTRY * n * p)
        checked = CHECKED_ENTRY * entries + (SPARSE_ROW * n if design.sparse else 0.0)
        gram = 0.0 if design.has_gram else made * p
        ridged = penalty.l1_ratio < 1.0
        # With an L2 part active sets exceed the rows, and then the dual has fewer unknowns.
        if p > GRAM_LIMIT or (ridged and p > 2 * n):
            gram = np.inf
        return cls(checked, p, p if ridged else min(n, p), gram, not ridged and p <= MOST_FEATURES)

    def on_gram(self, sizes: Array) -> float:
        """Cost of a path with active sets of these sizes on one Gram matrix."""
        n_alphas, p = len(sizes), float(self.n_features)
        cost = self.gram + CERTIFIED_ENTRY * n_alphas * p * p
        if self.followed:
            return cost + float(sizes[-1]) * (KNOT + KNOT_ENTRY * p * p)
        entries = NEWTON_PAIR * float(sizes @ sizes) + NEWTON_ENTRY * p * float(sizes.sum())
        return cost + n_alphas * NEWTON + entries

    def in_batches(self, sizes: Array) -> float:
        """The same in batches."""
        return len(sizes) * (BATCHED + self.checked) + BATCHED_PAIR * float(sizes @ sizes)

    def supports(self, depths: Array) -> tuple[Array, Array]:
        """Sizes of active sets that are usual, and those of few strong features."""
        usual = self.most / (1.0 + HALF_AT * np.minimum(depths, 1.0))
        return usual, np.minimum(usual, HANDFUL)

    def begins_on_gram(self, depths: Array, few_alone: bool) -> bool:
        """Whether a path begins on the Gram matrix; `depths` are its alphas over alpha_max.

        `few_alone` says that there are no more than a few features to find.
        """
        usual, few = self.supports(depths)
        simple = self.in_batches(few)
        if few_alone:
            return self.on_gram(few) <= simple
        batches = simple + min(self.in_batches(usual), 0.5 * simple + self.on_gram(usual))
        tall = self.followed and self.most == self.n_features
        longer = BATCHES_LONGER if tall else 1.0
        return self.on_gram(few) + self.on_gram(usual) <= longer * batches


def begins_on_gram(one: OneTarget, alphas: Array) -> bool:
    """Whether the path through `alphas`, which decrease, begins on the Gram matrix."""
    design = one.design
    if design.n_features <= min(ALWAYS_ON_GRAM, 2 * design.n_samples):
        return True
    top = one.penalty.alpha_max(one.c)
    if not top > 0.0:
        return False
    shape, depths = Shape.of(design, one.penalty), alphas / top
    begins = shape.begins_on_gram(depths, few_alone=False)
    tall = shape.followed and shape.most == shape.n_features
    if not tall or (begins and shape.begins_on_gram(depths, few_alone=True)):
        return begins
    left = _left_by_few(one)
    if begins:
        return left is None or UNSEEN * left > alphas[-1]
    usual, few = shape.supports(depths)
    return left is None and shape.on_gram(few) <= BATCHES_LONGER * shape.in_batches(usual)


def _left_by_few(one: OneTarget) -> float | None:
    """The correlation of noise like what the features most correlated with the target leave of it.

    None where these depend on each other.
    """
    n_probed = min(PROBED, len(one.c) // 2)
    index = np.argpartition(-np.abs(one.c), n_probed)[:n_probed]
    gram, c = one.design.subset(index).gram(), one.c[index]
    factor, x, failed = dposv(gram, c, lower=1)
    size = gram.diagonal()
    if failed or np.any(factor.diagonal() ** 2 <= DEPENDENT_IN_SUPPORT * size):
        return None
    left = max(one.yy - float(c.dot(x)), 0.0)
    return math.sqrt(left * float(size.max()) / one.design.n_samples)


def folds_on_gram(
    shape: tuple[int, int], penalty: Penalty, n_folds: int, depths: Callable[[], Array]
) -> bool:
    """Whether folds of dense X of a shape are best served by Gram matrices.

    Sums of all rows give those of all folds, so that each has its share of one. `depths` gives the
    alphas over alpha_max.
    """
    n, p = shape
    if p > n or penalty.l1_ratio < 1.0 or p <= ALWAYS_IN_FOLDS:
        return p <= (n if penalty.l1_ratio == 0.0 else min(n, MOST_FEATURES))
    made = GRAM_ENTRY * n * p * p
    gram = Shape(CHECKED_ENTRY * n * p, p, p, made / n_folds, p <= MOST_FEATURES)
    rows, (usual, few) = gram._replace(gram=made), gram.supports(depths())
    by_rows = rows.in_batches(few) + min(rows.in_batches(usual), rows.on_gram(usual))
    on_gram = gram.on_gram(few) + gram.on_gram(usual)
    return p <= GRAM_LIMIT and on_gram <= FOLDS_MISJUDGED * by_rows


class Watch:
    """Looks at a path in batches, for the alpha from which on the Gram matrix is cheaper."""

    def __init__(self, one: OneTarget, alphas: Array) -> None:
        self.shape, self.alphas = Shape.of(one.design, one.penalty), alphas
        self.sizes: list[float] = []
        # On very wide data not even the largest active set makes it pay.
        largest = np.full(len(alphas), float(self.shape.most))
        self.serves = self._pays(largest)

    def leaves(self, size: float) -> bool:
        """Whether to leave batches after the next alpha, with an active set of this size."""
        self.sizes.append(size)
        n_done = len(self.sizes)
        if not self.serves or size < TELLING or n_done % LOOKS_EVERY or n_done == len(self.alphas):
            return False
        here, rest = self.alphas[n_done - 1], self.alphas[n_done:]
        before = int(np.searchsorted(-self.alphas, -MEASURED_OVER * here, side="right")) - 1
        if before < 0:
            return False
        fall = np.log(self.alphas[before] / here)
        growth = np.log(max(size / max(self.sizes[before], 1.0), 1.0)) / fall
        expected = size * np.minimum(here / rest, EXPECTED_OVER) ** growth
        expected = np.minimum(expected, self.shape.most)
        return self._pays(expected)

    def _pays(self, sizes: Array) -> bool:
        """Whether alphas with active sets of these sizes are clearly cheaper on the Gram matrix."""
        return self.shape.on_gram(sizes) < CLEARLY * self.shape.in_batches(sizes)
