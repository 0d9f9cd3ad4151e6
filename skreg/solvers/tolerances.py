"""Tolerances of the quadratic solvers, each with what it bounds and why it has this value.

Rounding was measured in extended precision on random data: up to 1e5 rows, up to 1000 features.
"""

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
# Squared norms of columns are enlarged by this share of the uncentred ones, to stay upper bounds
# after rounding, which is 2e-14 over 1e5 rows.
NORM_ROUNDING = 1e-12

# A squared Cholesky pivot below this share of the feature's diagonal is a linear dependence: an
# exact one leaves 5e-16 among 500 features, and a solution near it keeps too few digits.
DEPENDENT_IN_SUPPORT = 1e-11
# The same for a feature that enters at a knot of the homotopy, smaller, as a feature refused there
# is lost to the path, and its caller certifies what comes out.
DEPENDENT_AT_KNOT = 1e-13
# The same on an orthant, of a matrix scaled to unit diagonal; below it eigenvectors or a shifted
# matrix take over, which cost several times as much.
DEPENDENT_ON_ORTHANT = 1e-12

# In one round a support grows by no more than so many features, or by half: on wide data a guess
# from a few features would else exceed the rank.
SUPPORT_GROWTH = 8
