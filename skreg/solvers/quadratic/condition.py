"""How many digits of the coefficients sums of squares bear out."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpocon, dpotrf

from ...data.design import Array, Design
from ...objective.penalties import ScaledPenalty
from ..ridge.minimum_norm import WELL_FACTORED, independent

# Digits of a double, and the least reciprocal of a condition that is told from zero.
MOST_DIGITS, LEAST_RECIPROCAL = 16.0, 1e-17


def digits_of_coefficients(
    w: Array, design: Design, penalty: ScaledPenalty, of_variances: Array
) -> float:
    """Decimal digits of coefficients that the Gram matrix bears out.

    Those of the variances, (n_features,), less the logarithm of the condition of the Gram matrix of
    the features that are in use, with a unit diagonal and the L2 part. Of least squares of minimum
    norm only directions that are seen count.
    """
    gram = design.gram()
    used = np.flatnonzero((w != 0) & (gram.diagonal() > 0))
    if not len(used):
        return MOST_DIGITS
    part = gram[np.ix_(used, used)] + np.diag(penalty.l2[used])
    unit = 1.0 / np.sqrt(part.diagonal())
    part *= unit * unit[:, None]
    size = float(np.abs(part).sum(axis=0).max())
    factor, failed = dpotrf(part)
    reciprocal = 0.0 if failed else float(dpocon(factor, size)[0])
    if penalty.vanishes and not penalty.has_bounds and reciprocal <= WELL_FACTORED:
        seen, _ = independent(part)  # the solution of minimum norm takes no others
        reciprocal = float(seen[0] / seen[-1])
    return float(of_variances[used].min()) + np.log10(max(reciprocal, LEAST_RECIPROCAL))
