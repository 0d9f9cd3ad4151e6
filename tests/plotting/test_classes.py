"""Pictures of classes, counts and amounts: a panel each class, and what coefficients change."""

import itertools
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import linear_model, svm
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.preprocessing import StandardScaler

from skreg import (
    CoefficientDisplay,
    CVCurveDisplay,
    GammaRegressor,
    Lasso,
    LogisticRegression,
    LogisticRegressionCV,
    PathResult,
    PenaltyGeometryDisplay,
    PoissonRegressor,
    PoissonRegressorCV,
    RegularizationPathDisplay,
    RidgeClassifierCV,
    ShrinkageDisplay,
    TweedieRegressor,
    regularization_path,
)

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

NAMES = np.array(["barbera", "barolo", "grignolino"])
SPARSE = {"alphas": 30, "l1_ratios": [1.0], "cv": 3}


@pytest.fixture(autouse=True)
def _no_open_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def wines():
    X, y = load_wine(return_X_y=True, as_frame=True)
    return (X - X.mean()) / X.std(), NAMES[[1, 2, 0]][y]


@pytest.fixture(scope="module")
def model(wines):
    return LogisticRegressionCV(**SPARSE, rule="1se").fit(*wines)


@pytest.fixture(scope="module")
def binary():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    return LogisticRegressionCV(**SPARSE).fit(X, y), X, y


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 6))
    return X, rng.poisson(np.exp(X[:, 0] - 0.5 * X[:, 1]))


def titles(display):
    return [panel.ax_.get_title() for panel in display.panels_]


def widths(bars):
    return np.array([bar.get_width() for bar in bars])


def test_every_class_has_its_path(model):
    display = RegularizationPathDisplay.from_estimator(model)
    assert titles(display) == NAMES.tolist()
    for panel, coefs, counted in zip(
        display.panels_, model.path_.coefs, model.path_.n_nonzero, strict=True
    ):
        for index, line in zip(panel.named_, panel.lines_, strict=True):
            assert_array_equal(line.get_xdata(), model.path_.alphas)
            assert_array_equal(np.asarray(line.get_ydata()), coefs[index])
        at = [np.flatnonzero(model.path_.alphas == tick)[0] for tick in ticks(panel)]
        assert_array_equal(counted[at], [int(t.get_text()) for t in top_labels(panel)])
        assert [float(mark.get_xdata()[0]) for mark in panel.alpha_lines_] == [
            model.alpha_1se_,
            model.alpha_min_,
        ]
    assert display.ax_ is display.panels_[0].ax_
    limits = {panel.ax_.get_ylim() for panel in display.panels_}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low < model.path_.coefs.min()
    assert model.path_.coefs.max() < high
    assert pickle.loads(pickle.dumps(display.figure_)).axes


def ticks(panel):
    panel.figure_.canvas.draw()
    return panel.top_ax_.get_xticks()


def top_labels(panel):
    return panel.top_ax_.get_xticklabels()


def test_a_feature_has_one_colour_in_all_panels(model):
    seen = {}
    for panel in RegularizationPathDisplay.from_estimator(model).panels_:
        for index, line in zip(panel.named_.tolist(), panel.lines_, strict=True):
            assert seen.setdefault(index, line.get_color()) == line.get_color()
    assert len(seen) > 4


def test_panels_have_one_width_and_labels_where_they_are_read(model):
    display = RegularizationPathDisplay.from_estimator(model)
    display.figure_.canvas.draw()
    axes = [panel.ax_ for panel in display.panels_]
    assert_allclose([ax.bbox.x1 for ax in axes], axes[0].bbox.x1)
    assert [bool(ax.get_xlabel()) for ax in axes] == [False, False, True]
    assert [bool(panel.top_ax_.get_xlabel()) for panel in display.panels_] == [True, False, False]
    assert axes[0].get_ylabel() == "coefficient\n(log-odds per unit of x)"


def test_panels_are_legible_at_the_width_of_a_column(model):
    figure, axes = plt.subplots(
        3, figsize=(3.4, 6.6), sharex=True, sharey=True, layout="constrained"
    )
    display = RegularizationPathDisplay.from_estimator(model, ax=axes)
    figure.canvas.draw()
    assert [panel.ax_ for panel in display.panels_] == list(axes)
    for panel in display.panels_:
        assert panel.ax_.bbox.width / figure.dpi > 1.2
        boxes = [label.get_window_extent() for label in panel.labels_]
        sizes = {label.get_fontsize() for label in panel.labels_}
        assert sizes <= {8.0}
        centres = [(box.y0 + box.y1) / 2 for box in boxes]
        assert np.all(np.diff(sorted(centres)) > 7)
    for above, below in itertools.pairwise(axes):
        label, other = above.yaxis.label, below.yaxis.label
        assert label.get_window_extent().y0 > other.get_window_extent().y1


def test_one_class_is_chosen_by_place_or_name(model):
    by_name = RegularizationPathDisplay.from_estimator(model, target="barolo")
    assert by_name.panels_ == [by_name]
    assert titles(by_name) == ["barolo"]
    assert_array_equal(by_name.lines_[0].get_ydata(), model.path_.coefs[1][by_name.named_[0]])
    assert by_name.ax_.get_ylabel() == "coefficient (log-odds per unit of x)"
    by_place = CoefficientDisplay.from_estimator(model, target=1)
    assert_array_equal(widths(by_place.bars_[0]), model.coef_[1][by_place.shown_])
    assert titles(by_place) == ["barolo"]
    with pytest.raises(ValueError, match="'merlot' is unknown: the classes are barbera, barolo"):
        RegularizationPathDisplay.from_estimator(model, target="merlot")
    with pytest.raises(ValueError, match="target=3 is out of range"):
        CoefficientDisplay.from_estimator(model, target=3)
    with pytest.raises(ValueError, match="target='y' is out of range"):
        RegularizationPathDisplay.from_path(model.path_.for_target(0), target="y")


def test_one_axes_for_several_classes_is_refused(model):
    for display in (RegularizationPathDisplay, CoefficientDisplay):
        with pytest.raises(ValueError, match=r"1 axes are given for 3 classes \(target= chooses"):
            display.from_estimator(model, ax=plt.figure().add_subplot())


def test_many_classes_stand_in_two_columns():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(140, 4)), np.repeat(np.arange(7), 20)
    path = regularization_path(LogisticRegression(l1_ratio=1), X, y, alphas=5)
    assert_array_equal(path.classes, np.arange(7))
    display = RegularizationPathDisplay.from_path(path)
    places = [panel.ax_.get_subplotspec() for panel in display.panels_]
    assert [(place.rowspan.start, place.colspan.start) for place in places] == [
        divmod(k, 2) for k in range(7)
    ]
    assert titles(display)[:2] == ["class 0", "class 1"]
    assert len(display.figure_.axes) == 7
    labelled = [bool(panel.ax_.get_xlabel()) for panel in display.panels_]
    assert labelled == [False] * 5 + [True] * 2
    shown = [
        any(t.label1.get_visible() for t in ax.xaxis.get_major_ticks()) for ax in axes_of(display)
    ]
    assert shown == labelled


def axes_of(display):
    return [panel.ax_ for panel in display.panels_]


def test_coefficients_of_every_class(model):
    display = CoefficientDisplay.from_estimator(model)
    assert titles(display) == NAMES.tolist()
    at_min = model.path_.coef_at(model.alpha_min_)
    for panel, own, other in zip(display.panels_, model.coef_, at_min, strict=True):
        assert_array_equal(widths(panel.bars_[0]), own[panel.shown_])
        assert_array_equal(widths(panel.bars_[1]), other[panel.shown_])
    first, *others = display.panels_
    assert [text.get_text() for text in first.legend_.get_texts()] == [
        rf"1se, $\alpha$ = {model.alpha_1se_:.3g}, in use",
        rf"min, $\alpha$ = {model.alpha_min_:.3g}",
    ]
    assert all(panel.legend_ is None for panel in others)
    assert len({ax.get_xlim() for ax in axes_of(display)}) == 1
    assert axes_of(display)[-1].get_xlabel() == "coefficient (log-odds per unit of x)"
    with pytest.raises(ValueError, match=r"coefs must have shape \(2, n_models, n_features\)"):
        CoefficientDisplay(np.zeros((3, 1, 4)), classes=["a", "b"]).plot()


def test_two_classes_have_one_picture(binary):
    fitted, _, _ = binary
    path = RegularizationPathDisplay.from_estimator(fitted)
    assert path.panels_ == [path]
    assert titles(path) == [""]
    assert_array_equal(path.lines_[0].get_ydata(), fitted.path_.coefs[path.named_[0]])
    assert path.ax_.get_ylabel() == "coefficient (log-odds per unit of x)"
    bars = CoefficientDisplay.from_estimator(fitted)
    assert_array_equal(widths(bars.bars_[0]), fitted.coef_[0][bars.shown_])


def test_a_single_c_is_the_alpha_of_a_path(binary):
    _, X, y = binary
    weight = np.linspace(0.5, 2, len(y))
    fitted = LogisticRegression(C=0.05, l1_ratio=1).fit(X, y, sample_weight=weight)
    assert fitted.alpha_ == pytest.approx(1 / (0.05 * weight.sum()))
    bars = CoefficientDisplay.from_estimator(fitted)
    assert rf"$\alpha$ = {fitted.alpha_:.3g} (log-odds" in bars.ax_.get_xlabel()
    path = regularization_path(fitted, X, y, sample_weight=weight)
    assert_allclose(path.coef_at(fitted.alpha_), fitted.coef_[0], atol=1e-4)
    display = RegularizationPathDisplay.from_path(path, alpha=fitted.alpha_)
    assert float(display.alpha_lines_[0].get_xdata()[0]) == fitted.alpha_
    assert LogisticRegression(C=np.inf).fit(X[:, :2], y).alpha_ == 0


def test_the_curve_of_classes_is_the_log_loss_and_counts_all_classes(model):
    display = CVCurveDisplay.from_estimator(model)
    assert display.ax_.get_ylabel() == "CV log-loss (nats per row)"
    assert_array_equal(display.lines_[0].get_ydata(), model.cv_result_.mean)
    at = [np.flatnonzero(model.path_.alphas == tick)[0] for tick in ticks(display)]
    total = model.path_.n_nonzero.sum(axis=0)
    assert_array_equal(total[at], [int(label.get_text()) for label in top_labels(display)])


@pytest.mark.parametrize(
    ("scoring", "label"),
    [
        ("neg_log_loss", "CV log-loss (nats per row)"),
        ("accuracy", "CV negated accuracy"),
        ("roc_auc", "CV negated ROC AUC"),
    ],
)
def test_scores_of_classes_are_called_as_they_are_read(binary, scoring, label):
    _, X, y = binary
    fitted = LogisticRegressionCV(alphas=5, cv=3, scoring=scoring).fit(X, y)
    assert CVCurveDisplay.from_estimator(fitted).ax_.get_ylabel() == label


def test_attributes_of_older_versions_are_drawn(wines):
    fitted = LogisticRegressionCV(Cs=4, cv=3, use_legacy_attributes=True).fit(*wines)
    assert fitted.C_.shape == (3,)
    for display in (RegularizationPathDisplay, CVCurveDisplay, CoefficientDisplay):
        drawn = display.from_estimator(fitted)
        assert drawn.figure_.axes
    # Without an L1 part all coefficients are there throughout: degrees of freedom say more.
    drawn = RegularizationPathDisplay.from_estimator(fitted)
    assert drawn.panels_[0].top_ax_.get_xlabel() == "degrees of freedom of all classes"
    assert CVCurveDisplay.from_estimator(fitted).top_ax_.get_xlabel() == "degrees of freedom"


def test_counts_change_the_logarithm(counts):
    fitted = PoissonRegressorCV(l1_ratio=1.0, cv=3, alphas=20).fit(*counts)
    curve = CVCurveDisplay.from_estimator(fitted)
    assert curve.ax_.get_ylabel() == "CV mean deviance (per row)"
    path = RegularizationPathDisplay.from_estimator(fitted)
    assert path.ax_.get_ylabel() == "coefficient (log y per unit of x)"
    bars = CoefficientDisplay.from_estimator(fitted, feature_scale=np.ones(6))
    assert bars.ax_.get_xlabel().endswith("scale of x (log y)")


@pytest.mark.parametrize(
    ("estimator", "unit"),
    [
        (PoissonRegressor(), "log y"),
        (TweedieRegressor(power=1.5), "log y"),
        (TweedieRegressor(), "y"),
        (linear_model.PoissonRegressor(), "log y"),
        (linear_model.TweedieRegressor(power=1.5), "log y"),
        (linear_model.Ridge(), "y"),
        (linear_model.LogisticRegression(), "log-odds"),
        (linear_model.RidgeClassifier(), "decision value"),
        (svm.LinearSVC(), "decision value"),
    ],
    ids=str,
)
def test_what_coefficients_change(estimator, unit, counts):
    X, y = counts
    display = CoefficientDisplay.from_estimator(estimator.fit(X, np.minimum(y, 1)))
    assert display.ax_.get_xlabel().endswith(f"({unit} per unit of x)")


def test_pairs_of_classes_are_not_called_classes(wines):
    fitted = svm.SVC(kernel="linear").fit(*wines)
    assert fitted.coef_.shape[0] == 3
    assert titles(CoefficientDisplay.from_estimator(fitted)) == [""]


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), PoissonRegressor(), GammaRegressor(), linear_model.PoissonRegressor()],
    ids=str,
)
@pytest.mark.parametrize("display", [ShrinkageDisplay, PenaltyGeometryDisplay])
def test_pictures_of_squared_errors_refuse_other_losses(display, estimator, counts):
    X, y = counts
    y = np.minimum(y, 1) + isinstance(estimator, GammaRegressor)
    arguments = (X, y) if display is PenaltyGeometryDisplay else (X,)
    message = f"is of models of the squared error, which {type(estimator).__name__} is not"
    with pytest.raises(ValueError, match=message):
        display.from_estimator(estimator.fit(X, y), *arguments)


def test_what_to_use_instead_is_said(binary, counts):
    _, X, y = binary
    fitted = LogisticRegression().fit(X, y)
    with pytest.raises(AttributeError, match="fits a single C: use LogisticRegressionCV, or"):
        RegularizationPathDisplay.from_estimator(fitted)
    twin = linear_model.PoissonRegressor().fit(*counts)
    with pytest.raises(AttributeError, match=r"single alpha: use skreg\.PoissonRegressorCV"):
        CVCurveDisplay.from_estimator(twin)
    averaged = LogisticRegressionCV(Cs=3, cv=3, refit=False).fit(X, y)
    with pytest.raises(AttributeError, match="keeps no path_: fit it with refit=True or"):
        RegularizationPathDisplay.from_estimator(averaged)
    assert CVCurveDisplay.from_estimator(averaged).top_ax_ is None


def test_a_path_knows_its_link_and_classes(wines, counts, model):
    X, y = wines
    assert regularization_path(Lasso(), *counts, alphas=3).inverse_link == "identity"
    assert regularization_path(PoissonRegressor(), *counts, alphas=3).inverse_link == "exp"
    path = pickle.loads(pickle.dumps(model.path_))
    assert isinstance(path, PathResult)
    assert path.inverse_link == "softmax"
    assert path.classes.tolist() == NAMES.tolist()
    assert path.for_target(0).classes is None
    two = regularization_path(LogisticRegression(), X, y == "barolo", alphas=3)
    assert two.inverse_link == "logistic"
    assert two.classes.tolist() == [False, True]
    frame = pytest.importorskip("pandas") and model.path_.to_frame()
    assert frame["barolo"]["flavanoids"].tolist() == model.path_.coefs[1][6].tolist()


def test_what_only_looks_like_a_path_is_drawn():
    path = SimpleNamespace(
        alphas=np.array([2.0, 1.0]),
        coefs=np.array([[[0.0, 1.0]], [[0.0, 2.0]], [[0.0, 3.0]]]),
        n_nonzero=np.ones((3, 2)),
        l1_ratio=1.0,
        feature_names=None,
    )
    display = RegularizationPathDisplay.from_path(path)
    assert display.panels_ == [display]
    assert display.lines_[0].get_ydata().tolist() == [0.0, 1.0]


def test_ridge_regression_of_classes_is_of_squared_errors(binary, wines):
    _, X, y = binary
    names = np.array(["benign", "malignant"])[y]
    fitted = RidgeClassifierCV(cv=3).fit(X, names)
    assert (
        RegularizationPathDisplay.from_estimator(fitted)
        .ax_.get_ylabel()
        .startswith("coefficient (decision value per")
    )
    assert ShrinkageDisplay.from_estimator(fitted, X).alpha == fitted.alpha_
    drawn = PenaltyGeometryDisplay.from_estimator(fitted, X, names)
    codes = linear_model.Ridge(alpha=fitted.alpha_).fit(X, 2.0 * y - 1)
    as_numbers = PenaltyGeometryDisplay.from_estimator(codes, X, 2.0 * y - 1)
    assert_allclose(drawn.plane.moment, as_numbers.plane.moment)
    assert_allclose(drawn.plane.solution, as_numbers.plane.solution, rtol=1e-6)
    three = RidgeClassifierCV(alphas=[1.0], cv=3).fit(*wines)
    with pytest.raises(ValueError, match="draws two classes, and there are 3"):
        PenaltyGeometryDisplay.from_estimator(three, *wines)
    with pytest.raises(AttributeError, match="keeps no path_: fit it with store_path=True or"):
        RegularizationPathDisplay.from_estimator(three)
    kept = RidgeClassifierCV(cv=3, store_path=True, alphas=10).fit(*wines)
    panels = RegularizationPathDisplay.from_estimator(kept).panels_
    assert [panel.ax_.get_title() for panel in panels] == NAMES.tolist()


def test_a_criterion_is_of_no_folds(binary):
    _, X, y = binary
    fitted = LogisticRegressionCV(rule="bic", alphas=10, l1_ratios=[1.0]).fit(X, y)
    display = CVCurveDisplay.from_estimator(fitted)
    assert display.ax_.get_ylabel() == "BIC"
    assert_array_equal(display.lines_[0].get_ydata(), fitted.criterion_)
    assert [label.get_text() for label in display.alpha_labels_] == ["min"]
