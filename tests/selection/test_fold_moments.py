"""Moments less the held-out rows' against what the training rows themselves give."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, LeaveOneOut, ShuffleSplit

from skreg import Lasso, LassoCV
from skreg.data.build import design_of
from skreg.data.dense import DenseDesign
from skreg.data.from_moments import design_from_moments
from skreg.selection.cross_validate import HeldOut, mean_squared_error
from skreg.selection.fold_moments import FoldMoments, left_out, training_weight
from skreg.solvers.base import Target

N, P = 60, 9


def problem(seed=0, offset=1e6):
    """Columns of many scales, an offset, a constant, and a category of the first rows alone."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, P)) * 10.0 ** np.array([-6, -2, 0, 0, 0, 3, 6, 0, 0])
    X[:, 2] += offset
    X[:, 3] = 7.0
    X[:, 4] = np.arange(N) < 3
    Y = np.stack([X[:, 0] * 1e6 + rng.standard_normal(N), rng.standard_normal(N) + 1e4], axis=1)
    return X, Y


def resampled(seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.integers(0, N, N), np.arange(5)) for _ in range(2)]


SPLITS = {
    "K folds": list(KFold(4).split(np.zeros(N))),
    "shuffled": list(KFold(4, shuffle=True, random_state=0).split(np.zeros(N))),
    "overlapping": list(ShuffleSplit(3, test_size=0.3, random_state=0).split(np.zeros(N))),
    "small training sets": list(ShuffleSplit(3, train_size=0.2, random_state=0).split(np.zeros(N))),
    "rows twice": resampled(),
    "one out": list(LeaveOneOut().split(np.zeros(N)))[:5],
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("center", "standardize"), [(True, False), (True, True), (False, True)])
@pytest.mark.parametrize("split", SPLITS)
def test_a_fold_has_the_moments_of_its_training_rows(split, center, standardize, weighted, dtype):
    X, Y = problem(offset=1e6 if center else 0.0)
    X = np.ascontiguousarray(X, dtype=dtype)
    weight = np.random.default_rng(1).integers(0, 4, N).astype(float) if weighted else np.ones(N)
    sums = FoldMoments.build(X, Y, weight, SPLITS[split], center)
    total, parts = sums.total, sums.parts
    for fold, part in zip(SPLITS[split], parts, strict=True):
        train = training_weight(fold, weight)
        rows = DenseDesign(X, weight)
        again = left_out(rows, Y, total.reference, weight, train)
        assert (part is None) == (again is None)
        own = rows.moments(Y, total.reference, train) if part is None else total - part
        made = design_from_moments(rows, Y, train, own, total, center, standardize)
        assert made is not None
        design, correlations = made
        expected = design_of(X, train, center=center, standardize=standardize)
        size = np.sqrt(expected.variances)
        pair = np.outer(size, size)
        pair[pair == 0] = 1.0
        np.testing.assert_allclose(design.gram() / pair, expected.gram() / pair, atol=1e-11)
        np.testing.assert_array_equal(design.variances == 0, expected.variances == 0)
        alone = Target.build(expected, Y)
        scale = np.outer(np.where(size > 0, size, 1), np.sqrt(expected.norm2(alone.centred)))
        c = expected.correlate(alone.centred)
        np.testing.assert_allclose(correlations / scale, c / scale, atol=1e-11)
        np.testing.assert_allclose(Target.build(design, Y).mean, alone.mean, rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
def test_errors_without_predictions(weighted):
    rng = np.random.default_rng(0)
    X, Y = problem()
    weight = rng.random(N) if weighted else np.ones(N)
    W = rng.standard_normal((2, P, 3)) / X.std(axis=0, keepdims=True).T.clip(1.0)
    W[:, 0] = 0.0
    b = rng.standard_normal((2, 3)) - np.einsum("j,kji->ki", X.mean(axis=0), W)
    fold = SPLITS["shuffled"][1]
    parts = FoldMoments.build(X, Y, weight, SPLITS["shuffled"], True).parts
    found = parts[1].mean_squared_error(W, b)
    predictions = np.stack([X[fold[1]] @ w for w in W], axis=1) + b
    held_out = HeldOut(fold[1], Y[fold[1]], weight[fold[1]], lambda: predictions)
    np.testing.assert_allclose(found, mean_squared_error(held_out), rtol=1e-9)


def test_errors_too_small_for_sums_are_left_to_predictions():
    X = np.random.default_rng(0).standard_normal((N, P))
    w = np.ones((1, P, 1))
    Y = X @ w[0] + 1e-6 * np.arange(N)[:, None]
    part, *_ = FoldMoments.build(X, Y, np.ones(N), SPLITS["K folds"], True).parts
    assert part.mean_squared_error(w, np.zeros((1, 1))) is None


def test_a_fold_with_little_left_of_many_columns_has_its_own_sums():
    rng = np.random.default_rng(0)
    X = np.where(np.arange(N)[:, None] < 3, rng.standard_normal((N, P)), 0.0)
    X[:, 0] = rng.standard_normal(N)
    Y, weight, folds = rng.standard_normal((N, 1)), np.ones(N), SPLITS["K folds"]
    sums = FoldMoments.build(X, Y, weight, folds, True)
    total, parts = sums.total, sums.parts
    train = training_weight(folds[0], weight)
    assert (
        design_from_moments(DenseDesign(X, weight), Y, train, total - parts[0], total, True, False)
        is None
    )


@pytest.mark.filterwarnings("ignore:LassoCV. the best alpha")
@pytest.mark.parametrize("heavy", [1e3, 1e6, 1e10, 1e16])
def test_a_fold_that_holds_out_nearly_all_the_weight(heavy):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 4))
    y = X @ [1.0, 2.0, 0.0, 0.0] + rng.standard_normal(40)
    weight = np.ones(40)
    weight[:2] = 1.2 * heavy, 0.7 * heavy
    folds, alphas = list(KFold(4).split(X)), [0.5, 0.1, 0.01]
    model = LassoCV(cv=folds, alphas=alphas, store_fold_coefs=True).fit(X, y, weight)
    for fold, coefs in zip(folds, model.cv_result_.fold_coefs, strict=True):
        for alpha, coef in zip(alphas, coefs.T, strict=True):
            own = Lasso(alpha).fit(X[fold[0]], y[fold[0]], weight[fold[0]])
            np.testing.assert_allclose(coef, own.coef_, rtol=0, atol=1e-11)
