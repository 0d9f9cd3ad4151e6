"""Tolerances of the quadratic solvers, each with what it bounds and why it has this value.

Rounding was measured in extended precision on random data: up to 1e5 rows, up to 1000 features.
What `Tuning` holds changes the time that answers take and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

# A correlation below this share of |x_j||y| is rounding, that of 4e-15 over 1e5 rows.
CORRELATION_ROUNDING = 1e-14
# A KKT condition that is missed by less than this share of |x_j||y| holds, ten times the above, as
# the residual of large coefficients that cancel has more rounding than the target.
KKT_ROUNDING = 1e-13
# A correlation violates its KKT condition beyond this share of the threshold, ten times what the
# equations of the support are solved to; the gap it leaves is of the order of its square.
KKT_TOLERANCE = 1e-11
# The same where conjugate gradients solve the equations, on whose residual the condition number of
# the support has a say; where a threshold is zero it is a share of the largest one.
KKT_TOLERANCE_OF_PRODUCTS = 1e-9

# A squared Cholesky pivot below this share of the feature's diagonal is a linear dependence: an
# exact one leaves 5e-16 among 500 features, and a solution near it keeps too few digits.
DEPENDENT_IN_SUPPORT = 1e-11
# The same for a feature that enters at a knot of the homotopy, smaller, as a feature refused there
# is lost to the path, and its caller certifies what comes out.
DEPENDENT_AT_KNOT = 1e-13
# The same on an orthant, of a matrix scaled to unit diagonal; below it eigenvectors or a shifted
# matrix take over, which cost several times as much.
DEPENDENT_ON_ORTHANT = 1e-12

# A step on a support is exact when its equations hold to this share of the largest threshold, a
# tenth of what the KKT check allows.
STEP_EXACT = 1e-12
# While the support still changes, with an L2 part, this share suffices: each further digit costs a
# step of conjugate gradients, and few signs hang on it.
STEP_ROUGH = 1e-4
# A step that misses its share by more than this factor is refused, and the equations are solved by
# a new factor, or by descent.
STEP_MISSED = 10.0

# In one round a support grows by no more than so many features, or by half: on wide data a guess
# from a few features would else exceed the rank.
SUPPORT_GROWTH = 8


@dataclass(frozen=True)
class Tuning:
    """What makes the active-set solvers fast, for tests to turn to the extreme.

    Attributes
    ----------
    max_rounds : int
        Newton rounds at one alpha; hard problems take 10, one that needs more cycles.
    patience : int
        Rounds without fewer violations than ever before that are waited for, likewise.
    most_dropped : int
        Dependent features dropped one by one, a factorisation each, before descent takes over.
    kept_factor : int
        Active features from which on the Cholesky factor is kept from round to round: below it a
        new one costs less than the calls that update the old one.
    farthest : float
        The secant through two solutions is extrapolated by up to so many times their distance.
    refreshed : int
        Alphas after which correlations that were carried along are computed from coefficients.
    batches : tuple of int
        Alphas of the shortest, the first and the longest batch.
    margin, widest : float
        A feature joins if its correlation is predicted to come this near to its threshold, as a
        share of the change of the threshold; the margin doubles up to the second after a violated
        batch and is halved after one that passed.
    joining, joining_single, joining_share : int, int, float
        Features that may join for one batch: so many, or this share of the active ones. On the way
        to a single alpha fewer batches save more than a small set: 5.5 instead of 7.5 ms with 134
        active of 2400; but an eighth of all features at most: 0.75 of the time with 39
        independent ones of 780.
    shortened : float
        A batch that needs more is cut to this share.
    cheap_product : int
        Entries of X up to which the slope at the end of a batch is worth a product of its own.
    largest_fall : float
        Alphas are inserted where the next one is below this share of the last.
    followed : int
        Up to so many features of the working set the Lasso path is followed from knot to knot.
    second_reference, unscreened : int, float
        From so many alphas on, if the screening leaves more than this share of the features, a
        reference alpha is added in the middle of the batch.
    few_left : float
        Up to this share of the features the KKT check looks at those left one by one.
    """

    max_rounds: int = 50
    patience: int = 4
    most_dropped: int = 4
    kept_factor: int = 200
    farthest: float = 4.0
    refreshed: int = 4
    batches: tuple[int, int, int] = (2, 4, 25)
    margin: float = 0.1
    widest: float = 0.4
    joining: int = 96
    joining_single: int = 192
    joining_share: float = 0.6
    shortened: float = 0.7
    cheap_product: int = 1_000_000
    largest_fall: float = 0.75
    followed: int = 400
    second_reference: int = 5
    unscreened: float = 0.02
    few_left: float = 0.1


TUNING = Tuning()
