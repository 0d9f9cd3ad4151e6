"""Random data like what people have, with a model for each, and the judgement of a fit.

Everything of a case follows from its seed. `fitted` fits it, `judged` compares what the fit claims
with the problem in extended precision (`exact.py`, `polish.py`).
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from exact import REAL, Problem
from polish import polished
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skreg import ElasticNet, Lasso, Ridge

# What extended precision itself leaves open of an excess, over the unit.
SLACK = 1e-13


@dataclass
class Case:
    """A design, a target, weights, and an estimator that has not seen them."""

    seed: int
    X: object
    y: np.ndarray
    weight: np.ndarray | None
    model: object

    @property
    def dense(self):
        return self.X.toarray() if sparse.issparse(self.X) else self.X


def columns(rng, n, p):
    """Features of one kind or several, beside each other."""
    kinds = rng.choice(len(KINDS), size=rng.integers(1, 4))
    each = rng.choice(kinds, p)
    X = np.empty((n, p))
    for kind in np.unique(each):
        X[:, each == kind] = KINDS[kind](rng, n, int((each == kind).sum()))
    return X


def correlated(rng, n, k):
    share = rng.choice([0.5, 0.9, 0.999])
    return np.sqrt(1 - share) * rng.normal(size=(n, k)) + np.sqrt(share) * rng.normal(size=(n, 1))


def nearly_copied(rng, n, k):
    X = rng.normal(size=(n, k))[:, rng.integers(0, max(1, k // 2), k)]
    return X + 10.0 ** rng.uniform(-14, -2) * rng.normal(size=(n, k))


def dummies(rng, n, k):
    return (rng.integers(0, k + rng.integers(2), n)[:, None] == np.arange(k)).astype(float)


def powers(rng, n, k):
    return rng.choice([1.0, 10.0]) * np.linspace(0, 1, n)[:, None] ** np.arange(1, k + 1)


def spectra(rng, n, k):
    return np.cumsum(rng.normal(size=(n, k)), axis=1)


KINDS = [
    lambda rng, n, k: rng.normal(size=(n, k)),
    lambda rng, n, k: rng.normal(size=(n, k)) * 10.0 ** rng.uniform(-6, 6, k),  # units
    lambda rng, n, k: rng.poisson(2.0, (n, k)).astype(float),  # counts
    lambda rng, n, k: rng.lognormal(10, 2, (n, k)),  # money
    lambda rng, n, k: rng.integers(1950, 2025, (n, k)).astype(float),  # years
    lambda rng, n, k: 293.15 + rng.normal(size=(n, k)),  # temperatures
    lambda rng, n, k: 10.0 ** rng.uniform(3, 9) + rng.normal(size=(n, k)),  # far from zero
    lambda rng, n, k: rng.normal(size=(n, k)) * (rng.random((n, k)) < 0.1),  # mostly zero
    lambda rng, n, k: np.round(rng.normal(size=(n, k)), 1),  # ties
    lambda rng, n, k: np.full((n, k), rng.choice([0.0, 0.1, 1e6])),  # constant
    correlated,
    nearly_copied,
    dummies,
    powers,
    spectra,
]


def target(rng, X):
    spread = X.std(axis=0)
    unit = np.divide(X - X.mean(axis=0), spread, out=np.zeros_like(X), where=spread > 0)
    some = rng.random(X.shape[1]) < rng.choice([0.1, 0.5, 1.0])
    signal = unit @ (some * rng.normal(size=X.shape[1]))
    y = signal + 10.0 ** rng.uniform(-4, 1) * rng.normal(size=len(X))
    kind = rng.integers(6)
    if kind == 0:
        y = (y > np.median(y)).astype(float)
    elif kind == 1:
        y = np.round(y) + 0.0
    elif kind == 2:
        y = 10.0 ** rng.uniform(-6, 6) * (y + rng.choice([0.0, 5.0, 1e3]))
    return y


def weights(rng, n):
    kind = rng.integers(8)
    if kind > 3:
        return None
    if kind == 0:
        return rng.uniform(0.1, 2, n)
    if kind == 1:
        return rng.integers(0, 3, n) + (np.arange(n) < 2.0)
    if kind == 2:
        return 10.0 ** rng.uniform(-4, 4, n)
    return np.where(rng.random(n) < 0.3, 0.0, 1.0) + (np.arange(n) < 2.0)


def shape_of(rng, p, y, X):
    """Parameters that Lasso, elastic net and ridge share."""
    shape = {"fit_intercept": bool(rng.random() < 0.7), "standardize": bool(rng.random() < 0.3)}
    if rng.random() < 0.25:
        shape["penalty_factor"] = rng.choice([0, 0.5, 1, 1, 1, 2, np.inf], p)
    bounded = rng.random()
    if bounded < 0.1:
        shape["positive"] = True
    elif bounded < 0.2:
        size = np.abs(y).max() / np.maximum(np.abs(X).max(axis=0), 1e-300)
        shape["lower_bound"] = -size * rng.choice([0, 0.01, 0.3, np.inf], p)
        shape["upper_bound"] = size * rng.choice([0.01, 0.3, np.inf], p)
        for name in ("lower_bound", "upper_bound"):  # of a target of zeros
            shape[name][np.isnan(shape[name])] = 0.0
    return shape


def storage(rng, X):
    kind = rng.integers(8)
    if kind == 0:
        return sparse.csr_matrix(X)
    if kind == 1:
        return sparse.csc_array(X)
    if kind == 2:
        return np.asfortranarray(X)
    return X


@np.errstate(all="ignore")
def case(seed, wide=False):
    """The case with this seed; `wide` spreads its values over the whole accepted range."""
    rng = np.random.default_rng([seed, wide])
    n = int(rng.integers(2, 50))
    p = int(rng.integers(1, 40))
    X = columns(rng, n, p)
    y, weight = target(rng, X), weights(rng, n)
    if wide:
        reach = np.log10(np.maximum(np.abs(X).max(axis=0), 1e-30))
        decades = rng.choice([1, 20, 100, 149], size=2)
        X = X * 10.0 ** (
            np.clip(rng.uniform(-1, 1, rng.choice([1, p])) * decades[0], -145, 149) - reach
        )
        y = y / (np.abs(y).max() or 1.0) * 10.0 ** (rng.uniform(-1, 1) * decades[1])
        if weight is not None and rng.random() < 0.3:
            weight = weight * 10.0 ** rng.uniform(-100, 100)
    shape = shape_of(rng, p, y, X)
    tol = float(rng.choice([1e-4, 1e-4, 1e-8, 1e-12]))
    if rng.random() < 0.35:
        strength = 10.0 ** rng.uniform(-8, 3) * (rng.random() < 0.95)
        bounded = "positive" in shape or "upper_bound" in shape
        solvers = ["auto", "cd", "lbfgs"] if bounded else ["auto"] * 5 + ["cholesky", "lsqr", "cd"]
        model = Ridge(solver=str(rng.choice(solvers)), tol=tol, **shape)
    else:
        strength = 10.0 ** rng.uniform(-5, 0.1) * (rng.random() < 0.98)
        solver = str(rng.choice(["auto", "auto", "cd"]))
        kind = {"solver": solver, "tol": tol, **shape}
        ratio = float(rng.choice([1.0, 1.0, 0.9, 0.5, 0.01]))
        model = Lasso(**kind) if ratio == 1.0 else ElasticNet(l1_ratio=ratio, **kind)
    found = Case(seed, storage(rng, X), y, weight, model)
    with np.errstate(over="ignore"):
        model.alpha = float(strength * unit_of_alpha(found))
    return found


def unit_of_alpha(found):
    """The penalty's strength at which about everything is zero, or shrunk by half."""
    problem = problem_of(found, 1.0)
    charged = (problem.l2 if isinstance(found.model, Ridge) else problem.l1) > 0
    if not charged.any():
        return REAL(1)
    if isinstance(found.model, Ridge):
        ratio = (problem.Z**2).sum(axis=0)[charged] / problem.l2[charged]
    else:
        ratio = np.abs(problem.Z.T @ problem.y)[charged] / problem.l1[charged]
    return np.clip(ratio.max() or REAL(1), REAL(1e-290), REAL(1e290))


def problem_of(found, alpha):
    """The mathematics of a case at this strength."""
    model = found.model
    parameters = ("fit_intercept", "standardize", "penalty_factor", "lower_bound", "upper_bound")
    shape = {name: getattr(model, name) for name in (*parameters, "positive")}
    if isinstance(model, Ridge):
        weight = np.ones(len(found.y)) if found.weight is None else found.weight
        alpha, ratio = REAL(alpha) / np.asarray(weight, REAL).sum(), 0.0
    else:
        alpha, ratio = REAL(alpha), getattr(model, "l1_ratio", 1.0)
    return Problem.of(found.dense, found.y, alpha, ratio, sample_weight=found.weight, **shape)


def in_units(problem, w):
    """The same problem with columns and target of about size one, by powers of two."""
    size = np.sqrt((problem.Z**2).sum(axis=0))
    s = np.where(size > 0, np.exp2(np.round(np.log2(np.where(size > 0, size, 1)))), 1)
    t = np.exp2(np.round(np.log2(np.sqrt(problem.y @ problem.y) or REAL(1))))
    even = replace(
        problem,
        Z=problem.Z / s,
        y=problem.y / t,
        l1=problem.l1 / (s * t),
        l2=problem.l2 / (s * s),
        lower=problem.lower * (s / t),
        upper=problem.upper * (s / t),
    )
    return even, np.asarray(w, REAL) * (s / t)


def fitted(found):
    """The case's model fitted, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found.model.fit(found.X, found.y, sample_weight=found.weight)
    return found.model, caught


def judged(found, refusable=False):
    """What is wrong with the fit of a case, or None; an error may be right where `refusable`."""
    try:
        model, caught = fitted(found)
    except ValueError as error:
        return None if refusable else f"refused: {error}"
    stated = [w for w in caught if issubclass(w.category, ConvergenceWarning)]
    if len(caught) != len(stated):
        return f"warns: {[str(w.message) for w in caught if w not in stated]}"
    if len(stated) != int(not model.converged_):
        return f"{len(stated)} warnings where converged_ is {model.converged_}"
    if not (np.isfinite(model.coef_).all() and np.isfinite(model.intercept_)):
        return "not finite"
    if not model.dual_gap_ >= 0:
        return f"a gap of {model.dual_gap_}"
    return _misjudged(found, model)


@np.errstate(all="ignore")
def _misjudged(found, model):
    """What extended precision has against the coefficients and their gap."""
    problem, w = in_units(problem_of(found, model.alpha), model.coef_)
    if np.any((w < problem.lower) | (w > problem.upper)):
        return "a bound is passed"
    if problem.y @ problem.y <= 1e-24 * np.max(np.abs(found.y / (np.abs(found.y).max() or 1))):
        return None  # a constant y, of which only rounding is left
    allowed = model.dual_gap_ * (1 + 1e-6) + SLACK
    if problem.gap(w) <= allowed:
        return None
    above = float((problem.objective(w) - problem.objective(polished(problem, w))) / problem.unit)
    return None if above <= allowed else f"{above:.3e} above the minimum, gap {model.dual_gap_:.3e}"
