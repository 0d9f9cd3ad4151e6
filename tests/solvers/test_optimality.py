"""Optimality as mathematics: KKT conditions and duality gaps of every fit, the exact alpha_max.

Conditions are checked on the explicitly centred, scaled and weighted matrix (`exact.Problem`), not
with the library's own code. Violations are shares of a feature's largest possible correlation.
"""

import numpy as np
import pytest
from exact import Problem
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_designs import random_design
from scipy import sparse
from scipy.linalg import hadamard
from sklearn.exceptions import ConvergenceWarning

from skreg import ElasticNet, Lasso, regularization_path
from skreg.paths.grid import alpha_grid

VIOLATION = 1e-9
# One factorisation for features of all scales leaves the smallest ones, which hardly matter, less.
VIOLATION_OF_CLOSED_FORMS = 1e-6
GAP = 1e-10

seeds = st.integers(0, 2**32 - 1)


@st.composite
def designs(draw, largest=40):
    """X of any rank, shape, scale and offset, dense."""
    rng = np.random.default_rng(draw(seeds))
    n, p = draw(st.integers(2, largest)), draw(st.integers(1, largest))
    kind = draw(
        st.sampled_from(["plain", "low rank", "copies", "one-hot", "integers", "correlated"])
    )
    X = random_design(kind, n, p, rng)
    scale = draw(st.sampled_from(["one", "columns", "small", "large"]))
    columns = 2.0 ** rng.integers(-27, 28, p)  # about 1e-8 to 1e8, exactly
    X = X + draw(st.sampled_from([0.0, 0.0, 2.0**10, -(2.0**20)]))
    X = X * {"one": 1.0, "columns": columns, "small": 2.0**-27, "large": 2.0**27}[scale]
    if draw(st.booleans()):
        X[:, rng.integers(p)] = draw(st.sampled_from([0.0, 1.0, 0.1, 1e6]))
    return X


@st.composite
def targets(draw, X):
    rng = np.random.default_rng(draw(seeds))
    unit = X / np.maximum(np.abs(X).max(axis=0), 1e-300)
    kind = draw(st.sampled_from(["noise", "exact", "sparse", "tied", "constant"]))
    y = {
        "noise": rng.standard_normal(len(X)),
        "exact": unit @ rng.standard_normal(X.shape[1]),
        "sparse": unit[:, 0] + 0.1 * rng.standard_normal(len(X)),
        "tied": unit.sum(axis=1),
        "constant": np.full(len(X), 0.1),
    }[kind]
    return (y + draw(st.sampled_from([0.0, 10.0]))) * draw(st.sampled_from([1.0, 1e-8, 1e8]))


@st.composite
def weights(draw, n):
    rng = np.random.default_rng(draw(seeds))
    kind = draw(st.sampled_from(["none", "random", "counts", "zeros and ones"]))
    if kind == "none":
        return None
    found = {
        "random": rng.random(n) + 0.01,
        "counts": rng.integers(0, 4, n).astype(float),
        "zeros and ones": (rng.random(n) < 0.6).astype(float),
    }[kind]
    found[0] += not found.any()
    return found


@st.composite
def shapes(draw, X, y):
    """Everything of a model but its alpha."""
    rng = np.random.default_rng(draw(seeds))
    p = X.shape[1]
    found = {
        "l1_ratio": draw(st.sampled_from([1.0, 1.0, 0.9, 0.5, 0.01, 0.0])),
        "fit_intercept": draw(st.booleans()),
        "standardize": draw(st.booleans()),
    }
    if draw(st.booleans()):
        found["penalty_factor"] = rng.choice([0.0, 0.5, 1.0, 2.0, np.inf], size=p)
    if draw(st.booleans()):
        size = np.abs(y).max() / np.maximum(np.abs(X).max(axis=0), 1e-100)
        share = rng.choice([0.0, 0.01, 0.3], size=(2, p))
        endless = rng.random((2, p)) < 0.3
        found["lower_bound"] = np.where(endless[0], -np.inf, -size * share[0])
        found["upper_bound"] = np.where(endless[1], np.inf, size * share[1])
    return found


@st.composite
def tasks(draw, largest=40):
    X = draw(designs(largest))
    y = draw(targets(X))
    shape = draw(shapes(X, y))
    # Without an intercept columns far from zero are all but parallel, which is another matter:
    # see `test_columns_that_are_all_but_parallel`.
    spread = X.std(axis=0)
    shape["fit_intercept"] |= bool(np.any((spread > 0) & (np.abs(X.mean(axis=0)) > 1e2 * spread)))
    return X, y, draw(weights(len(X))), shape


def alpha_max(X, y, weight, shape):
    path = regularization_path(ElasticNet(tol=1.0, **shape), X, y, alphas=1, sample_weight=weight)
    return path.alphas[0]


CYCLIC = {"solver": "cd", "precompute": False}
METHODS = [
    {},
    {"precompute": True},
    CYCLIC,
    {"solver": "cd", "precompute": True},
    {"solver": "cd", "precompute": "auto"},
    {"precompute": False, "selection": "random", "random_state": 0},
    {"precompute": True, "selection": "random", "random_state": 0},
]


@given(
    tasks(),
    st.sampled_from([0.0, 1e-5, 1e-3, 0.03, 0.3, 1.0, 1.5]),
    st.sampled_from(METHODS),
    st.sampled_from([np.ascontiguousarray, np.asfortranarray, sparse.csc_array, sparse.csr_array]),
)
def test_every_fit_is_optimal(task, share, method, stored):
    X, y, weight, shape = task
    alpha = share * alpha_max(X, y, weight, shape)
    model = ElasticNet(alpha, tol=1e-8, **shape, **method).fit(stored(X), y, sample_weight=weight)
    problem = Problem.of(X, y, alpha, sample_weight=weight, **shape)
    assert model.converged_
    assert 0 <= model.dual_gap_ <= 1e-8
    if problem.y @ problem.y <= 1e-25 * (y @ y):
        return  # a constant y: nothing but rounding to check
    smooth = not problem.l1.any() and "upper_bound" not in shape
    allowed = VIOLATION_OF_CLOSED_FORMS if smooth else VIOLATION
    assert problem.violation(model.coef_).max() <= allowed
    if problem.gap(model.coef_) > GAP:  # a bound, and one that degenerate designs can make loose
        other = {"precompute": True} if method.get("solver") or "selection" in method else CYCLIC
        found = ElasticNet(alpha, tol=1e-8, **shape, **other).fit(X, y, sample_weight=weight).coef_
        above = float((problem.objective(model.coef_) - problem.objective(found)) / problem.unit)
        assert above + problem.gap(found) <= GAP
    if X.shape[1] <= 3:
        above = float((problem.objective(model.coef_) - problem.minimum()) / problem.unit)
        assert above <= model.dual_gap_ + 1e-13


@given(
    tasks(largest=8),
    st.sampled_from([1e-3, 0.03, 0.3]),
    st.integers(1, 3),
    st.sampled_from([None, True, False]),
)
def test_the_gap_is_an_upper_bound_wherever_the_solver_stops(task, share, max_iter, precompute):
    """Brute force over all faces against the gap of a fit that was cut short."""
    X, y, weight, shape = task
    X, shape = X[:, :3], {k: v[:3] if np.ndim(v) else v for k, v in shape.items()}
    alpha = share * alpha_max(X, y, weight, shape)
    method = {"solver": "cd", "precompute": precompute} if precompute is not None else {}
    model = ElasticNet(alpha, tol=1e300, max_iter=max_iter, **method, **shape)
    model.fit(X, y, sample_weight=weight)
    problem = Problem.of(X, y, alpha, sample_weight=weight, **shape)
    assume(problem.y @ problem.y > 1e-25 * (y @ y))
    above = float((problem.objective(model.coef_) - problem.minimum()) / problem.unit)
    assert above <= model.dual_gap_ + 1e-12


@given(tasks(), st.sampled_from([np.array, sparse.csc_array]))
def test_alpha_max_is_the_exact_boundary(task, stored):
    X, y, weight, shape = task
    shape["l1_ratio"] = max(shape["l1_ratio"], 0.01)
    top = alpha_max(stored(X), y, weight, shape)
    penalised = np.resize(shape.get("penalty_factor", 1.0), X.shape[1]) > 0

    def penalised_coefs(alpha):
        model = ElasticNet(alpha, tol=1e-8, **shape).fit(stored(X), y, sample_weight=weight)
        return model.coef_[penalised]

    problem = Problem.of(X, y, 1.0, sample_weight=weight, **shape)
    unit = float(np.max(problem.reach / np.where(problem.l1 > 0, problem.l1, np.inf), initial=0.0))
    if top <= max(1e-10 * unit, 1e-15) or problem.y @ problem.y <= 1e-25 * (y @ y):
        return  # nothing penalised can move: all correlations are rounding
    np.testing.assert_array_equal(penalised_coefs(top * (1 + 1e-9)), 0.0)
    assert penalised_coefs(top * (1 - 1e-6)).any()


@settings(max_examples=50)
@given(tasks(), st.integers(1, 30), st.sampled_from([1e-4, 1e-2, 0.5]))
def test_grids_fall_in_equal_ratios(task, n_alphas, eps):
    X, y, weight, shape = task
    problem = ElasticNet(**shape)._problem(range(X.shape[1]))
    alphas = alpha_grid(problem.bind(X, y, weight), n_alphas, eps)
    assert alphas.shape == (n_alphas,)
    assert np.all(alphas > 0)
    assert np.all(np.diff(alphas) <= 0)
    if alphas[0] > alphas[-1]:
        ratio = alphas[-1] / alphas[0]
        if shape["l1_ratio"]:  # without an L1 part the grid spans the spectrum instead
            np.testing.assert_allclose(ratio, eps, rtol=1e-12)
        steps = np.diff(np.log(alphas))
        np.testing.assert_allclose(steps, np.log(ratio) / (n_alphas - 1), rtol=1e-9)


GALLERY = {
    "exact duplicates": lambda r: np.repeat(r.standard_normal((50, 8)), 5, axis=1),
    "near duplicates": lambda r: (
        np.repeat(r.standard_normal((50, 8)), 5, axis=1) + 1e-9 * r.standard_normal((50, 40))
    ),
    "negated": lambda r: np.kron(r.standard_normal((50, 10)), [1.0, -1.0]),
    "rank 10 of 200": lambda r: r.standard_normal((60, 10)) @ r.standard_normal((10, 200)),
    "full dummies": lambda r: np.hstack(
        [np.eye(k)[r.integers(0, k, 80)] for k in (2, 5, 9)] + [np.ones((80, 1))]
    ),
    "32 ties": lambda r: np.linalg.qr(r.standard_normal((64, 32)))[0],
    "hadamard": lambda r: hadamard(32)[:, 1:].astype(float),
    "vandermonde": lambda r: np.vander(np.linspace(-1, 1, 40), 15),
    "wide": lambda r: r.standard_normal((20, 60)),
    "offset": lambda r: r.standard_normal((60, 30)) + 1e6,
    "constant": lambda r: np.hstack(
        [np.ones((40, 3)), r.standard_normal((40, 3)), np.zeros((40, 2))]
    ),
    "one feature": lambda r: r.standard_normal((30, 1)),
    "two rows": lambda r: r.standard_normal((2, 10)),
}


@pytest.mark.one_in(5)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("target", ["noise", "sum", "zero"])
@pytest.mark.parametrize("name", GALLERY)
def test_degenerate_gallery(name, target, l1_ratio):
    """A path to the end of the degenerate designs: the gap closes, in a bounded number of steps."""
    rng = np.random.default_rng(0)
    X = GALLERY[name](rng)
    y = {"noise": rng.standard_normal(len(X)), "sum": X.sum(axis=1), "zero": np.zeros(len(X))}[
        target
    ]
    for method in ({}, {"solver": "cd"}, {"solver": "cd", "precompute": True}):
        estimator = ElasticNet(l1_ratio=l1_ratio, tol=1e-8, **method)
        path = regularization_path(estimator, X, y, alphas=40)
        ends = [path.alphas[0] * 1e-7, 0.0]
        end = regularization_path(estimator, X, y, alphas=[*path.alphas[::8], *ends])
        for found in (path, end):
            assert found.dual_gaps.max() <= 1e-8
            assert found.n_iters.max() <= 200
            assert found.converged.all()
        if target != "zero":
            problem = Problem.of(X, y, path.alphas[-1], l1_ratio)
            assert problem.gap(path.coefs[:, -1]) <= 1e-8


def test_one_warning_that_states_the_gap():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 40)), rng.standard_normal(60)
    with pytest.warns(ConvergenceWarning, match=r"gap of \d\.\d+e") as seen:
        model = Lasso(1e-3, max_iter=1, tol=1e-10).fit(X, y)
    assert len(seen) == 1
    assert f"{model.dual_gap_:.3e}" in str(seen[0].message)
    assert not model.converged_


def test_small_features_are_seen_beside_large_ones():
    """Rounding is judged by each feature's own scale."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 60)) * np.where(np.arange(60) < 5, 1e8, 1e-8)
    y = X[:, 5:8].sum(axis=1) * 1e8 + 0.1 * rng.standard_normal(40)
    factor = np.where(np.arange(60) < 5, 0.0, 1.0)
    for method in METHODS:
        model = Lasso(1e-9, penalty_factor=factor, tol=1e-8, **method).fit(X, y)
        problem = Problem.of(X, y, 1e-9, penalty_factor=factor)
        assert problem.violation(model.coef_).max() < 1e-12
        assert np.count_nonzero(model.coef_[5:]) >= 3


def all_but_parallel(seed):
    rng = np.random.default_rng(seed)
    X = np.linalg.qr(rng.standard_normal((60, 60)))[0][:10]
    X += 10.0 ** rng.uniform(0, 6, 60) * np.abs(X).max(axis=0) * rng.integers(0, 2, 60)
    y = rng.standard_normal(10)
    return X, y, np.abs(X.T @ y).max() / 10 * np.array([1e-2, 1e-4])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_columns_that_are_all_but_parallel(seed):
    """Directions of hardly any curvature: a step along them must still lower the objective."""
    X, y, alphas = all_but_parallel(seed)
    for alpha in alphas:
        for method in METHODS:
            model = Lasso(alpha, fit_intercept=False, tol=1e-6, **method).fit(X, y)
            assert Problem.of(X, y, alpha, fit_intercept=False).gap(model.coef_) <= 1e-6


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_where_rounding_hides_the_way_the_gap_tells():
    """With the BLAS of NumPy before 2, on some processors, not every method gets to the end."""
    X, y, alphas = all_but_parallel(55)
    for alpha in alphas:
        reached = []
        for method in METHODS:
            model = Lasso(alpha, fit_intercept=False, tol=1e-6, **method).fit(X, y)
            gap = Problem.of(X, y, alpha, fit_intercept=False).gap(model.coef_)
            assert gap <= 1e-6 or not model.converged_
            assert model.dual_gap_ >= gap * (1 - 1e-6) - 1e-12
            reached.append(gap <= 1e-6)
        assert all(reached) or np.__version__ < "2"
        assert np.mean(reached) > 0.5


@pytest.mark.parametrize("apart", [1e-13, 1e-12, 1e-11, 1e-9])
def test_nothing_is_claimed_of_unpenalised_twins(apart):
    """Their difference is a feature that the Gram matrix does not show."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 4))
    hidden = rng.standard_normal(50)
    X[:, 1] = X[:, 0] + apart * hidden
    y = X[:, 2] + 0.3 * hidden + 0.1 * rng.standard_normal(50)
    with pytest.warns(ConvergenceWarning, match="duality gap"):
        model = Lasso(0.1, penalty_factor=[0, 0, 1, 1]).fit(X, y)
    same_span = np.column_stack([X[:, 0], hidden, X[:, 2:]])
    best = Lasso(0.1, penalty_factor=[0, 0, 1, 1]).fit(same_span, y)
    above = Problem.of(X, y, 0.1, penalty_factor=[0, 0, 1, 1]).objective(model.coef_)
    above -= Problem.of(same_span, y, 0.1, penalty_factor=[0, 0, 1, 1]).objective(best.coef_)
    assert above / np.var(y) <= model.dual_gap_
