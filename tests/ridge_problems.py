"""Ridge problems of every kind, and their solution by definition, for the tests of its solvers."""

import numpy as np
from scipy import sparse

from skreg.data.build import design_of
from skreg.objective.penalties import Penalty

ALPHAS = np.array([10.0, 0.3, 1e-3])


def problem(n, p, seed=0, targets=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ np.diag(rng.uniform(0.5, 2, p)) + rng.normal(size=p)
    X[rng.random((n, p)) < 0.4] = 0.0
    return X, X @ rng.normal(size=(p, targets)) + rng.normal(size=(n, targets)) + 3.0


def everything(n, p, kind):
    """A problem with all that may be asked of it at once: weights, factors, standardising."""
    X, Y = problem(n, p)
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.2, 2, n) if "weights" in kind else None
    if "zeros" in kind:
        weights[:4] = 0.0
    factors = np.ones(p)
    if "factors" in kind:
        factors = rng.uniform(0.2, 3, p)
    if "free" in kind:
        factors[[1, 4]] = 0.0
    if "excluded" in kind:
        factors[[0, 5]] = np.inf
    if "float32" in kind:
        X = X.astype(np.float32)
    stored = sparse.csc_matrix(X) if "sparse" in kind else X
    design = design_of(stored, weights, center="raw" not in kind, standardize="standardize" in kind)
    return design, Penalty.build(p, 0.0, factors), Y


def dense(design):
    """Z by its definition."""
    X = design._X.toarray() if design.sparse else design._X
    Z = X.astype(np.float64)
    Z = Z if design.mean is None else Z - design.mean
    return Z if design.inv_scale is None else Z * design.inv_scale


def reference(design, Y, penalty, alpha):
    """Ridge of the centred target by the normal equations of what may move."""
    Z, omega = dense(design), design.omega[:, None]
    movable = penalty.upper > penalty.lower
    Z = Z[:, movable]
    W = np.zeros((len(movable), Y.shape[1]))
    G = Z.T @ (omega * Z) + alpha * np.diag(penalty.factors[movable])
    W[movable] = np.linalg.solve(G, Z.T @ (omega * design.center(Y)[0]))
    return W


KINDS = [
    "",
    "raw",
    "weights",
    "weights zeros",
    "standardize weights",
    "factors",
    "free",
    "free excluded weights factors",
    "excluded",
    "float32 weights",
    "standardize raw free",
]
SHAPES = [(40, 7), (13, 25)]
