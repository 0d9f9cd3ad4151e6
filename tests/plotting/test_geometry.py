"""Loss and penalty over two coefficients: contours, shapes and path are those of the model."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import linear_model
from sklearn.datasets import load_diabetes

from skreg import ElasticNet, ElasticNetCV, Lasso, LassoCV, PenaltyGeometryDisplay, Ridge, RidgeCV
from skreg.plotting.plane import level_set, two_coefficients

mpl = pytest.importorskip("matplotlib")
mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

MODELS = {
    "lasso": Lasso(alpha=2, standardize=True),
    "raw lasso": Lasso(alpha=0.5),
    "no intercept": Lasso(alpha=2, fit_intercept=False),
    "elastic net": ElasticNet(alpha=1, l1_ratio=0.3, standardize=True),
    "factors": ElasticNet(alpha=1, penalty_factor=[1, 1, 2, 0.5, 0, 1, 1, 1, 1, np.inf]),
    "ridge": Ridge(alpha=30, standardize=True),
    "least squares": Ridge(alpha=0),
    "lasso, chosen": LassoCV(alphas=20, standardize=True),
    "elastic net, chosen": ElasticNetCV(alphas=20, l1_ratio=[0.5, 0.9], eps=1e-5),
    "ridge, chosen": RidgeCV(alphas=20),
    "another library's": linear_model.LassoCV(alphas=[3.0, 1.0, 0.3], tol=1e-10, max_iter=100000),
}


@pytest.fixture(scope="module")
def data():
    return load_diabetes(return_X_y=True, as_frame=True, scaled=False)


def column_axes():
    return plt.figure(figsize=(3.5, 2.7), layout="constrained").add_subplot()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:.*the best alpha")
def test_the_models_coefficients_minimise_the_plane(data, name, weighted):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else None
    model = MODELS[name].fit(X, y, sample_weight=weight)
    plane, names = two_coefficients(model, X, y, ("bmi", "bp"), weight, X.columns)
    assert names == ["bmi", "bp"]
    scale = X.std().to_numpy()[[2, 3]]
    assert_allclose(plane.solve(plane.alpha) * scale, plane.solution * scale, atol=2e-4)
    if not getattr(model, "standardize", False):
        assert_array_equal(plane.solution, model.coef_[[2, 3]])


def test_the_loss_is_that_of_the_model(data):
    X, y = data
    for model, unit in ((Lasso(alpha=2), 0.5 / len(y)), (Ridge(alpha=2), 1.0)):
        fitted = model.fit(X, y)
        plane, _ = two_coefficients(fitted, X, y, (2, 3), None, None)
        rss = ((y - fitted.predict(X)) ** 2).sum()
        assert_allclose(plane.loss([plane.solution])[0], unit * rss)


def test_what_is_drawn_is_the_plane(data):
    model = ElasticNet(alpha=1, l1_ratio=0.7, standardize=True).fit(*data)
    display = PenaltyGeometryDisplay.from_estimator(model, *data, features=("bp", "bmi"))
    plane = display.plane
    assert_array_equal(display.solution_point_.get_xydata(), [plane.solution])
    assert_array_equal(display.least_squares_point_.get_xydata(), [plane.least_squares])
    through = display.solution_contour_.get_xydata()
    assert_allclose(plane.loss(through), plane.loss([plane.solution])[0])
    for curve in display.contours_.get_segments():
        assert_allclose(plane.loss(curve), plane.loss(curve[:1])[0])
    (shape,) = display.shapes_
    assert_allclose(plane.penalty(shape.get_xydata()), plane.penalty([plane.solution])[0])
    path = display.path_line_.get_xydata()
    for point, alpha in zip(path[::20], display.path_alphas_[::20], strict=True):
        assert_array_equal(point, plane.solve(alpha))
    assert_allclose(path[0], 0, atol=1e-12)
    assert_allclose(path[-1], plane.least_squares)
    # Nowhere on the penalty's shape is the loss smaller than at the solution.
    assert plane.loss(shape.get_xydata()).min() >= plane.loss([plane.solution])[0] * (1 - 1e-12)
    assert display.ax_.get_xlabel() == "coefficient of bp (y per s.d.)"
    assert display.ax_.get_ylabel() == "coefficient of bmi (y per s.d.)"
    assert [text.get_text() for text in display.legend_.get_texts()] == [
        "elastic-net shape",
        "equal loss",
        r"solutions as $\alpha$ falls",
        r"solution, $\alpha$ = 1",
        "least squares",
    ]


@pytest.mark.parametrize("power", [0.5, 1, 2, 4])
def test_shapes_go_through_the_point(power):
    ones, none, point = np.ones(2), np.zeros(2), np.array([0.3, -1.2])
    curve = level_set(ones, none, power, point)
    assert_allclose((np.abs(curve) ** power).sum(axis=1), (np.abs(point) ** power).sum())
    assert np.sum(curve == 0) == 5  # the corners, the first of which is the last as well
    assert_array_equal(level_set(ones, none, power, none), np.zeros_like(curve))


def test_shapes_are_chosen(data):
    model = Lasso(alpha=2).fit(*data)
    shapes = ["l1", "l2", "elastic_net", 0.5]
    display = PenaltyGeometryDisplay.from_estimator(model, *data, shapes=shapes)
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts[:4] == ["L1 diamond", "L2 ball", "elastic-net shape", "L0.5 shape"]
    corner = np.abs(display.plane.solution).sum()
    assert_allclose(np.abs(display.shapes_[0].get_xydata()).sum(axis=1), corner)
    radius = np.linalg.norm(display.plane.solution)
    assert_allclose(np.linalg.norm(display.shapes_[1].get_xydata(), axis=1), radius)
    assert len({line.get_color() for line in display.shapes_}) == 4
    assert PenaltyGeometryDisplay.from_estimator(model, *data, shapes=[]).shapes_ == []


def test_by_default_the_largest_coefficients_that_the_penalty_sees(data):
    X, y = data
    model = Lasso(alpha=1, standardize=True).fit(X, y)
    display = PenaltyGeometryDisplay.from_estimator(model, X, y)
    sizes = np.abs(model.coef_ * X.std().to_numpy())
    assert set(display.feature_names) == set(X.columns[np.argsort(-sizes)[:2]])


@pytest.mark.parametrize("alpha", [1e-6, 5, 1e4])
@pytest.mark.parametrize("figsize", [(3.5, 2.7), (10, 5.6)])
def test_the_legend_hides_nothing(data, alpha, figsize):
    ax = plt.figure(figsize=figsize, layout="constrained").add_subplot()
    model = Lasso(alpha=alpha, standardize=True).fit(*data)
    display = PenaltyGeometryDisplay.from_estimator(model, *data, features=("bmi", "s6"), ax=ax)
    display.figure_.canvas.draw()
    legend = display.legend_.get_window_extent()
    lines = [*display.shapes_, display.path_line_, display.solution_point_]
    for line in lines:
        inside = ax.transData.transform(line.get_xydata())
        assert not np.any(inside[:, 1] > legend.y0)
        assert np.all(ax.bbox.padded(1).count_contains(inside) == len(inside))
    scale = ax.transData.transform([(0, 0), (1, 0), (0, 1)])
    assert_allclose(scale[1, 0] - scale[0, 0], scale[2, 1] - scale[0, 1])
    assert legend.x0 >= 0
    assert legend.x1 <= display.figure_.bbox.x1


def test_twin_columns_have_straight_contours(data):
    X = np.repeat(data[0].to_numpy()[:, [2]], 2, axis=1)
    model = Ridge(alpha=10, standardize=True).fit(X, data[1])
    display = PenaltyGeometryDisplay.from_estimator(model, X, data[1])
    assert_allclose(display.plane.solution[0], display.plane.solution[1])
    display.figure_.canvas.draw()


def test_kwargs_override_only_the_keys_they_name(data):
    model = Lasso(alpha=2).fit(*data)
    plain = PenaltyGeometryDisplay.from_estimator(model, *data)
    display = PenaltyGeometryDisplay.from_estimator(
        model,
        *data,
        contour_kwargs={"linewidths": 3},
        solution_contour_kwargs={"lw": 4},
        shape_kwargs={"color": "red"},
        path_kwargs={"ls": "-"},
        point_kwargs={"ms": 9},
        legend_kwargs={"loc": "lower left"},
    )
    assert_array_equal(display.contours_.get_linewidth(), [3])
    assert_array_equal(display.contours_.get_color(), plain.contours_.get_color())
    assert display.solution_contour_.get_linewidth() == 4
    assert display.solution_contour_.get_color() == plain.solution_contour_.get_color()
    assert display.shapes_[0].get_color() == "red"
    assert display.shapes_[0].get_linewidth() == plain.shapes_[0].get_linewidth()
    assert display.path_line_.get_linestyle() == "-"
    assert display.path_line_.get_color() == plain.path_line_.get_color()
    assert display.solution_point_.get_markersize() == 9
    assert display.solution_point_.get_marker() == "o"
    assert display.legend_._get_loc() == 3


def test_what_cannot_be_drawn_is_refused(data):
    X, y = data
    lasso = Lasso(alpha=2, penalty_factor=np.r_[0.0, np.ones(9)]).fit(X, y)

    def draw(estimator=lasso, table=X, target=y, **options):
        return PenaltyGeometryDisplay.from_estimator(estimator, table, target, **options)

    with pytest.raises(AttributeError, match=r"^Lasso has no coef_: call fit first"):
        draw(Lasso())
    with pytest.raises(ValueError, match="no feature is named 'height'"):
        draw(features=("bmi", "height"))
    with pytest.raises(ValueError, match="feature 10 is out of range: there are 10 features"):
        draw(features=(0, 10))
    with pytest.raises(ValueError, match=r"features must be two different ones, got \['bmi'\]"):
        draw(features=["bmi"])
    with pytest.raises(ValueError, match="two different"):
        draw(features=("bmi", 2))
    with pytest.raises(ValueError, match="the penalty_factor of 'age' is 0"):
        draw(features=("age", "bmi"))
    with pytest.raises(ValueError, match=r"LinearRegression has no alpha"):
        draw(linear_model.LinearRegression().fit(X, y))
    with pytest.raises(ValueError, match="draws one target"):
        draw(Ridge().fit(X, np.column_stack([y, y])))
    with pytest.raises(ValueError, match="draws one target"):
        draw(target=np.column_stack([y, y]))
    with pytest.raises(ValueError, match="y has 3 values for 442 rows"):
        draw(target=y[:3])
    with pytest.raises(ValueError, match="needs two features"):
        draw(Lasso().fit(X[["bmi"]], y), X[["bmi"]])
    with pytest.raises(ValueError, match="fit without positive"):
        draw(Lasso(positive=True).fit(X, y))
    with pytest.raises(ValueError, match="not with concave='mcp'"):
        draw(Lasso(concave="mcp").fit(X, y))
    with pytest.raises(ValueError, match="needs dense X"):
        draw(table=sparse.csr_array(X))
    with pytest.raises(ValueError, match="shape 'star' is unknown"):
        draw(shapes=["star"])
    with pytest.raises(ValueError, match="needs a positive power, got -1"):
        draw(shapes=[-1])
    assert not plt.get_fignums()


def test_axes_style_and_pickle(data):
    ax, before = column_axes(), dict(mpl.rcParams)
    display = PenaltyGeometryDisplay.from_estimator(Lasso().fit(*data), *data, ax=ax)
    assert display.ax_ is ax
    pickle.loads(pickle.dumps(display.figure_)).canvas.draw()
    assert dict(mpl.rcParams) == before
