"""The minimiser of an `exact.Problem` in extended precision, by an active-set method of its own.

It starts from coefficients that are nearly right and shares no code with the library: on the face
of the present signs and bounds the equations are solved by an orthogonal factorisation, the step is
cut where the first coefficient meets zero or a bound, and at the minimum of a face the feature that
violates optimality most joins. Every step lowers the objective.
"""

import numpy as np
from exact import REAL, Problem

# Extended precision leaves this much of a column of length one that depends on the others.
DEPENDENT = 64 * np.finfo(REAL).eps
# A violation of optimality below this share of the largest possible correlation is rounding.
VIOLATED = 1e3 * np.finfo(REAL).eps


def orthogonal_factor(A):
    """Q and R with columns of A that depend on those before left out; Gram-Schmidt, twice."""
    n, k = A.shape
    Q, R, kept = np.zeros((n, k), REAL), np.zeros((k, k), REAL), []
    for j in range(k):
        v, r = A[:, j].copy(), np.zeros(len(kept), REAL)
        size = np.sqrt(v @ v)
        for _ in range(3):
            share = Q[:, : len(kept)].T @ v
            v -= Q[:, : len(kept)] @ share
            r += share
        left = np.sqrt(v @ v)
        if left <= DEPENDENT * size:
            continue
        R[: len(kept), len(kept)], R[len(kept), len(kept)] = r, left
        Q[:, len(kept)] = v / left
        kept.append(j)
    m = len(kept)
    return Q[:, :m], R[:m, :m], np.array(kept, dtype=int)


def directions(A):
    """A basis of the coefficients, without directions as short as the rounding of the data.

    The rank of a matrix of doubles is decided as everyone does, with its columns of length one.
    """
    size = np.sqrt((A**2).sum(axis=0))
    _, lengths, Vt = np.linalg.svd((A / size).astype(float))
    kept = lengths > max(A.shape) * np.finfo(np.float64).eps
    if kept.all() and len(kept) == A.shape[1]:
        return np.eye(A.shape[1], dtype=REAL)
    return Vt[: len(kept)][kept].T.astype(REAL) / size[:, None]


def triangular_solve(R, b):
    """Back substitution."""
    x = np.zeros(len(b), REAL)
    for i in range(len(b) - 1, -1, -1):
        x[i] = (b[i] - R[i, i + 1 :] @ x[i + 1 :]) / R[i, i]
    return x


def polished(problem: Problem, w, rounds=300):
    """Coefficients with an objective at most that of w, at the minimum if all goes well."""
    Z, y, l1, l2 = problem.Z, problem.y, problem.l1, problem.l2
    w = np.clip(np.asarray(w, dtype=REAL), problem.lower, problem.upper)
    curved = (Z**2).sum(axis=0) + l2
    scale = np.sqrt(problem.reach**2 + l2 * (y @ y))
    best, least = w.copy(), problem.objective(w)
    free = (curved > 0) & (problem.lower < w) & (w < problem.upper) & ((w != 0) | (l1 == 0))
    sign, idle = np.sign(w), 0
    for _ in range(rounds):
        w, free, sign = to_the_face_s_minimum(problem, w, free, sign)
        value = problem.objective(w)
        idle = 0 if value < least else idle + 1
        if value < least:
            best, least = w.copy(), value
        q = Z.T @ (y - Z @ w) - l2 * w
        above = np.where(w < 0, q + l1, q - l1)
        below = np.where(w > 0, q - l1, q + l1)
        up = np.where(w < problem.upper, np.maximum(above, 0), 0)
        down = np.where(w > problem.lower, np.maximum(-below, 0), 0)
        share = np.divide(np.maximum(up, down), scale, out=np.zeros_like(w), where=scale > 0)
        share[free | (curved == 0)] = 0
        j = int(share.argmax())
        if share[j] <= VIOLATED or idle > 5:
            break
        free[j] = True
        sign[j] = 1 if up[j] > down[j] else -1
    return best


def to_the_face_s_minimum(problem, w, free, sign):
    """Newton's step on the coefficients that are free, again after each one that is stopped."""
    w, free, sign = w.copy(), free.copy(), sign.copy()
    for _ in range(len(w) + 1):
        index = np.flatnonzero(free)
        if not len(index):
            break
        A = np.vstack([problem.Z[:, index], np.diag(np.sqrt(problem.l2[index]))])
        r = np.concatenate([problem.y - problem.Z @ w, -np.sqrt(problem.l2[index]) * w[index]])
        V = directions(A)
        Q, R, kept = orthogonal_factor(A @ V)
        pull = (V.T @ (problem.l1 * sign)[index])[kept]
        forward = np.zeros(len(kept), REAL)
        for i in range(len(kept)):  # R^T forward = pull
            forward[i] = (pull[i] - R[:i, i] @ forward[:i]) / R[i, i]
        step = V[:, kept] @ triangular_solve(R, Q.T @ r - forward)
        now = w[index]
        low = np.where((problem.l1[index] > 0) & (sign[index] > 0), 0, problem.lower[index])
        high = np.where((problem.l1[index] > 0) & (sign[index] < 0), 0, problem.upper[index])
        limit = np.where(step > 0, high, low)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(step != 0, (limit - now) / step, np.inf)
        t = max(ratio.min(), REAL(0))
        if t >= 1:
            w[index] = now + step
            break
        hit = ratio <= t
        w[index] = np.where(hit, limit, now + t * step)
        free[index[hit]] = False
        sign = np.where(w != 0, np.sign(w), sign)
    return w, free, sign


def excess(problem: Problem, w):
    """How far w is above the minimum, over the unit: what is proved, and what is possible."""
    possible = problem.gap(w)
    if possible <= 1e-13:
        return 0.0, possible
    better = polished(problem, w)
    proved = float((problem.objective(w) - problem.objective(better)) / problem.unit)
    return proved, min(possible, proved + problem.gap(better))
