"""Screening and the KKT check over a batch of alphas, against products with every residual."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from skreg.data import products as moments
from skreg.data.build import design_of
from skreg.objective.penalties import Penalty
from skreg.solvers.base import Bound, OneTarget, Settings, Target
from skreg.solvers.quadratic import batched_path, coordinate_descent
from skreg.solvers.quadratic.batched_path import BatchedPath
from skreg.solvers.quadratic.kkt_check import KKTCheck, ReferencePoint
from skreg.solvers.tolerances import TUNING

STORED = {"F": np.asfortranarray, "C": np.ascontiguousarray, "csc": sparse.csc_array}


def setting(stored="F", offset=0.0, n=40, p=200, rho=0.5, **options):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, p)) + rho * rng.standard_normal((n, 1)) + offset
    X[:, 7] = 0.3
    X[:, 8] = X[:, 9]
    weight = rng.random(n) + 0.1 if options.pop("weighted", False) else None
    design = design_of(STORED[stored](X), weight, **options)
    y = X[:, :4].sum(axis=1) + rng.standard_normal(n)
    return design, (y - design.omega @ y)[:, None]


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("limits", [(1, 1), (1, 1000), (1000, 1)])
def test_few_vectors_go_through_X_in_blocks(monkeypatch, stored, count, limits):
    monkeypatch.setattr(moments, "TALL", limits[0])
    monkeypatch.setattr(moments, "WIDE", (limits[1], 10**6))
    monkeypatch.setattr(moments, "CACHED", 130)  # blocks that do not divide the columns or rows
    rng = np.random.default_rng(0)
    X, v = rng.standard_normal((41, 17)), rng.standard_normal((41, count))
    once = {"F": 4 if limits[0] == 1 else 1, "C": 2 if limits == (1, 1) else 1, "csc": 1}
    assert moments.at_once(STORED[stored](X)) == once[stored]
    np.testing.assert_allclose(moments.adjoint(STORED[stored](X), v), X.T @ v, rtol=0, atol=1e-12)


def test_rows_too_long_for_a_block_of_some_are_not_read_in_blocks():
    for shape, count in (((300, 4000), 1), ((300, 5000), 2), ((300, 20_000), 1), ((200, 5000), 1)):
        assert moments.at_once(np.empty(shape)) == count
        assert moments.at_once(np.empty(shape, order="F")) == (4 if shape[0] == 300 else 1)
        assert moments.at_once(np.empty(shape, dtype=np.float32, order="F")) == 1
        assert moments.at_once(np.empty(shape)[:, ::2]) == (2 if shape[1] == 20_000 else 1)


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_norms_are_bounds_and_hardly_more(stored, weighted, standardize, offset):
    design, _ = setting(stored, offset, weighted=weighted, standardize=standardize)
    exact, bound = np.sqrt(design.variances), design.norm_bounds()
    assert np.all(bound >= exact * (1 - 1e-12))
    assert np.all(bound <= exact * (1 + 1e-3) + 1e-5 * offset + 1e-5)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("shape", [{}, {"factors": "some"}, {"lower": 0.0}, {"upper": 0.02}])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("tall", [1, 1000])
def test_what_is_screened_out_violates_nothing(monkeypatch, shape, l1_ratio, count, tall):
    """Residuals of a path on half of the features, so that many of the others violate."""
    monkeypatch.setattr(moments, "TALL", tall)
    design, y = setting()
    shape = dict(shape)
    if "factors" in shape:
        shape["factors"] = np.resize([0.5, 1.0, 3.0, np.inf], design.n_features)
    penalty = Penalty.build(design.n_features, l1_ratio, **shape)
    top = penalty.alpha_max(design.correlate(y))
    alphas = np.geomspace(top, 0.05 * top, 30)
    half = design.subset(np.arange(100))
    part = Penalty(l1_ratio, penalty.factors[:100], penalty.lower[:100], penalty.upper[:100])
    how, none = Settings(tol=1e-14), np.zeros((100, 1))
    found = coordinate_descent.solve(Bound(half, Target.build(half, y), part), alphas, none, how)
    R = y - half.predict(np.array([one.coef for one in found]).T)
    check = KKTCheck(design, penalty)
    n_screened, inside = 0, np.arange(design.n_features) % 3 == 0
    for first in range(0, 30 - count, count):
        batch = slice(first + 1, first + 1 + count)
        start = check.points(alphas[[first]], R[:, [first]])[0]
        points, outside = check.screen(start, alphas[batch], R[:, batch], inside)
        assert len(points) - 1 == min(count, 4) if tall == 1 else len(points) - 1 in (1, 2)
        assert len({point.alpha for point in points}) == len(points)
        for point in points[1:]:
            (i,) = np.flatnonzero(alphas == point.alpha)
            np.testing.assert_array_equal(point.r, R[:, i])
            np.testing.assert_allclose(point.q, design.correlate(R[:, i]), rtol=0, atol=1e-12)
        assert points[-1].alpha == alphas[batch.stop - 1]
        screened = ~check.unscreened(points, alphas[batch], R[:, batch])
        np.testing.assert_array_equal(outside, np.flatnonzero(~screened & ~inside))
        scaled = check.scaled(design.correlate(R[:, batch]).T)
        assert np.all(scaled[:, screened] <= l1_ratio * alphas[batch, None] * (1 + 1e-12))
        n_screened += np.count_nonzero(screened)
        for index in (np.arange(3, 9), np.arange(0, 200, 2)):  # few and many
            np.testing.assert_allclose(
                check.scaled_by(R[:, batch], index), scaled[:, index], rtol=1e-9, atol=1e-12
            )
    assert n_screened > 0


def test_alphas_above_the_start_and_no_way_to_go():
    design, y = setting()
    check = KKTCheck(design, Penalty.build(design.n_features, 1.0))
    q = design.correlate(y[:, 0])
    top = float(np.abs(q).max())
    start = ReferencePoint(top, y[:, 0], q)
    R = np.repeat(y, 6, axis=1)
    for alphas in (np.full(6, top), np.linspace(3 * top, 1.01 * top, 6)):
        _, outside = check.screen(start, alphas, R, np.zeros(design.n_features, dtype=bool))
        assert len(outside) <= 1


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("many", [0.0, 1.0])
@pytest.mark.parametrize("tall", [1, 1000])
def test_violators_are_found_one_by_one_or_with_all_products(monkeypatch, stored, many, tall):
    """Nothing joins by prediction; the answer is that of descent."""
    monkeypatch.setattr(moments, "TALL", tall)
    monkeypatch.setattr(moments, "WIDE", (100, 1000))
    design, y = setting(stored, standardize=True)
    penalty = Penalty.build(design.n_features, 1.0)
    top = penalty.alpha_max(design.correlate(y))
    alphas = np.geomspace(top, 0.02 * top, 25)
    tuning = replace(TUNING, margin=-1e9, few_left=many)
    start, how = np.zeros((design.n_features, 1)), Settings(tol=1e-14, tuning=tuning)
    target = Target.build(design, y)
    batches, descent = (
        list(method.solve(Bound(design, target, penalty), alphas, start, how))
        for method in (batched_path, coordinate_descent)
    )
    for a, b in zip(batches, descent, strict=True):
        assert a.gap <= 1e-12
        np.testing.assert_allclose(
            design.predict(a.coef), design.predict(b.coef), rtol=0, atol=1e-9
        )


@pytest.mark.parametrize("tall", [1, 1000])
def test_a_path_knows_where_it_is_after_each_batch(monkeypatch, tall):
    """Residual and correlations of the last final alpha, and violators where a batch ended early.

    A slope that predicts nothing makes most batches end early.
    """
    monkeypatch.setattr(moments, "TALL", tall)
    design, y = setting(p=400, rho=0.0)
    penalty = Penalty.build(design.n_features, 1.0)
    how = Settings(tol=1e-14, tuning=replace(TUNING, margin=0.001))
    alphas = penalty.alpha_max(design.correlate(y)) * np.geomspace(1, 0.02, 60)
    one = OneTarget(Bound(design, Target.build(design, y), penalty))
    path = BatchedPath(one, np.zeros(design.n_features), how, False)
    done, n_short = 0, 0
    while done < len(alphas):
        length = path.admit(alphas[done:], 8)
        found = path.advance(alphas[done : done + length], np.ones(length, dtype=bool))
        assert (len(path.violators) == 0) == (len(found) == length)
        n_short += len(found) < length
        done += len(found)
        path.move()
        if found:
            assert path.here.alpha == alphas[done - 1]
            assert max(one.gap for one in found) <= 1e-12
            r, q = path.here.r, path.here.q
            np.testing.assert_allclose(r, y[:, 0] - design.predict(found[-1].coef), atol=1e-12)
            np.testing.assert_allclose(q, design.correlate(r), atol=1e-12)
        path.slope = -path.here.q / path.here.alpha
    assert n_short > 5
