"""Pictures of relaxed fits: a curve a share, and the share of the path."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from skreg import (
    CVCurveDisplay,
    Lasso,
    LassoCV,
    PoissonRegressorCV,
    RegularizationPathDisplay,
    regularization_path,
)

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(scope="module", params=["min", "1se"])
def model(request):
    X, y = load_diabetes(return_X_y=True)
    return LassoCV(cv=5, relax=True, rule=request.param).fit(X, y)


def test_each_share_has_a_curve_with_its_name(model):
    display = CVCurveDisplay.from_estimator(model)
    shares = [model.relax_, *(s for s in (1.0, 0.75, 0.5, 0.25, 0.0) if s != model.relax_)]
    assert [label.get_text() for label in display.labels_] == [f"γ = {s:g}" for s in shares]
    looks = set()
    for share, line in zip(shares, display.lines_, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), model.cv_result_.by_share[share].mean)
        looks.add((line.get_color(), line.get_linestyle()))
    assert len(looks) == 5
    assert display.lines_[0].get_linewidth() > display.lines_[1].get_linewidth()
    plt.close("all")


def test_marked_alphas_are_on_the_curves_that_chose_them(model):
    display = CVCurveDisplay.from_estimator(model)
    at, heights = display.points_.get_data()
    result = model.cv_result_
    for alpha, height in zip(at, heights, strict=True):
        rule = "min" if alpha == model.alpha_min_ else "1se"
        share = result.best_share(rule)
        index = list(result.alphas).index(alpha)
        assert height == pytest.approx(result.by_share[share].mean[index])
    plt.close("all")


def test_one_share_is_one_curve_without_a_name():
    X, y = load_diabetes(return_X_y=True)
    display = CVCurveDisplay.from_estimator(LassoCV(cv=5, relax=0.5).fit(X, y))
    assert len(display.lines_) == 1
    assert not display.labels_
    plt.close("all")


def test_a_relaxed_path_says_its_share():
    X, y = load_diabetes(return_X_y=True)
    for share, words in [(0.25, "relaxed coefficient, γ = 0.25"), (1.0, "coefficient ")]:
        path = regularization_path(Lasso(relax=share), X, y)
        display = RegularizationPathDisplay.from_path(path)
        assert display.ax_.get_ylabel().startswith(words)
    plt.close("all")


def test_refits_that_are_far_off_are_cut_and_named_all_the_same():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 100))
    y = rng.poisson(np.exp(0.5 * X[:, 0]))
    model = PoissonRegressorCV(alphas=40, l1_ratio=1.0, relax=True, cv=5).fit(X, y)
    worst = max(one.mean.max() for one in model.cv_result_.by_share.values())
    display = CVCurveDisplay.from_estimator(model)
    assert worst > 100 * display.ax_.get_ylim()[1]
    display.figure_.canvas.draw()
    assert all(label.get_tightbbox().width > 0 for label in display.labels_)
    display = RegularizationPathDisplay.from_estimator(model)
    display.figure_.canvas.draw()
    assert all(label.get_tightbbox().width > 0 for label in display.labels_)
    plt.close("all")
