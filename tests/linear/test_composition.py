"""The estimators inside scikit-learn's machinery, and on every kind of table that people have."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse, stats
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import estimator_html_repr
from sklearn.utils.validation import _get_feature_names

from skreg import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    Ridge,
    RidgeCV,
    lasso_path,
    regularization_path,
)

GRID = np.geomspace(1e-3, 1e2, 11)
MODELS = [
    Lasso(alpha=0.1),
    ElasticNet(alpha=0.1),
    Ridge(),
    LassoCV(cv=3, alphas=GRID),
    ElasticNetCV(cv=3, alphas=GRID, l1_ratio=[0.2, 0.8]),
    RidgeCV(alphas=GRID),
    RidgeCV(cv=3, alphas=GRID),
]
NAMES = ["Lasso", "ElasticNet", "Ridge", "LassoCV", "ElasticNetCV", "RidgeCV", "RidgeCV, 3 folds"]
each_model = pytest.mark.parametrize("model", MODELS, ids=NAMES)
CV_MODELS = [
    LassoCV(cv=3, alphas=10),
    ElasticNetCV(cv=3, alphas=10, l1_ratio=[0.2, 0.8]),
    RidgeCV(cv=3, alphas=GRID, scoring="neg_mean_squared_error"),
]
each_cv_model = pytest.mark.parametrize("model", CV_MODELS, ids=lambda m: type(m).__name__)


def make_data(n: int = 60, p: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((n, p)) + rng.uniform(-2, 2, p)
    return X, X[:, :3] @ [2.0, -1.0, 1.5] + 1.5 * rng.standard_normal(n)


X, Y = make_data()
COLUMNS = [f"feature {j}" for j in range(X.shape[1])]


def same_fit(one: Any, other: Any, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=rtol, atol=rtol)


# scikit-learn's machinery --------------------------------------------------------------------


@each_model
def test_pipeline_with_a_scaler(model):
    pipeline = make_pipeline(StandardScaler(), clone(model)).fit(X, Y)
    alone = clone(model).fit(StandardScaler().fit_transform(X), Y)
    same_fit(pipeline[-1], alone)
    assert pipeline.score(X, Y) > 0.7
    assert len(cross_val_score(pipeline, X, Y, cv=3)) == 3


@each_model
def test_column_transformer(model):
    frame = pd.DataFrame(X, columns=COLUMNS).assign(colour=np.resize(["red", "blue", "teal"], 60))
    shift = frame["colour"].map({"red": 0.0, "blue": 3.0, "teal": -3.0})
    encode = make_column_transformer(
        (StandardScaler(), COLUMNS), (OneHotEncoder(sparse_output=True), ["colour"])
    )
    pipeline = make_pipeline(encode, clone(model)).fit(frame, Y + shift)
    assert pipeline.score(frame, Y + shift) > 0.8
    assert pipeline[-1].n_features_in_ == len(COLUMNS) + 3


def test_grid_search_over_alpha_and_l1_ratio():
    grid = {"alpha": np.geomspace(1e-3, 1, 8), "l1_ratio": [0.1, 0.5, 1.0]}
    scoring = "neg_mean_squared_error"
    folds = KFold(4)
    search = GridSearchCV(ElasticNet(), grid, cv=folds, scoring=scoring).fit(X, Y)
    cv = ElasticNetCV(alphas=grid["alpha"], l1_ratio=grid["l1_ratio"], cv=folds).fit(X, Y)
    assert search.best_params_ == {"alpha": cv.alpha_, "l1_ratio": cv.l1_ratio_}
    same_fit(search.best_estimator_, cv)
    assert search.best_score_ == pytest.approx(-cv.cv_result_.mean.min(), rel=1e-10)


def test_randomized_search_over_alpha_and_l1_ratio():
    wide = {"alpha": stats.loguniform(1e-3, 10), "l1_ratio": stats.uniform(0, 1)}
    search = RandomizedSearchCV(ElasticNet(), wide, n_iter=12, cv=3, random_state=0).fit(X, Y)
    assert 1e-3 <= search.best_params_["alpha"] <= 10
    assert search.best_score_ > 0.7


def test_search_through_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), Ridge())
    search = GridSearchCV(pipeline, {"ridge__alpha": GRID, "ridge__standardize": [True, False]})
    assert search.fit(X, Y).score(X, Y) > 0.7


@each_model
def test_clone_keeps_parameters_and_drops_the_fit(model):
    fitted = clone(model).set_params(penalty_factor=np.ones(12)).fit(X, Y)
    copy = clone(fitted)
    assert not hasattr(copy, "coef_")
    for name, value in fitted.get_params().items():
        np.testing.assert_array_equal(copy.get_params()[name], value)


@each_model
def test_pickle_and_joblib(model, tmp_path):
    fitted = clone(model).fit(pd.DataFrame(X, columns=COLUMNS), Y)
    joblib.dump(fitted, tmp_path / "model")
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "model")):
        assert vars(copy).keys() == vars(fitted).keys()
        frame = pd.DataFrame(X, columns=COLUMNS)
        np.testing.assert_array_equal(copy.predict(frame), fitted.predict(frame))


@pytest.mark.filterwarnings("ignore:.*the best alpha.*:UserWarning")  # with so many rows, the least
def test_a_pickled_path_has_no_training_data():
    tall, y = make_data(20_000, 5)
    path = regularization_path(Lasso(), tall, y, alphas=5)
    assert path.refit is not None
    data = pickle.dumps(path)
    assert len(data) < 10_000 < tall.nbytes
    copy = pickle.loads(data)
    assert copy.refit is None
    np.testing.assert_array_equal(copy.coefs, path.coefs)
    model = LassoCV(alphas=5, cv=3).fit(tall, y)
    assert len(pickle.dumps(model)) < 10_000


@each_cv_model
def test_any_number_of_jobs_gives_the_same_bits(model):
    one, two = (clone(model).set_params(n_jobs=n).fit(X, Y) for n in (1, 2))
    for name in ("mse_path_", "alphas_", "coef_", "intercept_", "alpha_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@each_model
def test_set_output(model):
    scaler = StandardScaler().set_output(transform="pandas")
    pipeline = make_pipeline(scaler, clone(model)).fit(pd.DataFrame(X, columns=COLUMNS), Y)
    assert list(pipeline[-1].feature_names_in_) == COLUMNS
    make_pipeline(StandardScaler(), clone(model)).set_output(transform="pandas").fit(X, Y)


@each_model
def test_html_representation(model):
    assert type(model).__name__ in estimator_html_repr(clone(model))
    html = make_pipeline(StandardScaler(), clone(model)).fit(X, Y)._repr_html_()
    assert type(model).__name__ in html
    assert "fitted" in html


# Metadata ------------------------------------------------------------------------------------

GROUPS = np.arange(len(X)) // 4 % 5
WEIGHT = np.arange(len(X)) % 3 + 0.5


@each_cv_model
def test_groups_are_routed_to_the_splitter(model):
    splits = list(GroupKFold(5).split(X, Y, GROUPS))
    expected = clone(model).set_params(cv=splits).fit(X, Y)
    with config_context(enable_metadata_routing=True):
        routed = clone(model).set_params(cv=GroupKFold(5)).fit(X, Y, groups=GROUPS)
    np.testing.assert_array_equal(routed.mse_path_, expected.mse_path_)


@each_cv_model
def test_weights_and_groups_together(model):
    splits = list(GroupKFold(5).split(X, Y, GROUPS))
    expected = clone(model).set_params(cv=splits).fit(X, Y, sample_weight=WEIGHT)
    with config_context(enable_metadata_routing=True):
        routed = clone(model).set_params(cv=GroupKFold(5))
        if isinstance(model, RidgeCV):
            routed.set_params(scoring=None)
        routed.fit(X, Y, sample_weight=WEIGHT, groups=GROUPS)
    assert routed.alpha_ == expected.alpha_


@each_cv_model
def test_routing_without_metadata_changes_nothing(model):
    with config_context(enable_metadata_routing=True):
        routed = clone(model).fit(X, Y)
    same_fit(routed, clone(model).fit(X, Y))


@each_cv_model
def test_groups_without_routing_are_refused(model):
    with pytest.raises(ValueError, match="enable_metadata_routing"):
        clone(model).fit(X, Y, groups=GROUPS)


@each_model
def test_weights_through_a_pipeline(model):
    scaled = StandardScaler().fit_transform(X)
    expected = clone(model).fit(scaled, Y, sample_weight=WEIGHT)
    name = type(model).__name__.lower()
    pipeline = make_pipeline(StandardScaler(), clone(model))
    same_fit(pipeline.fit(X, Y, **{f"{name}__sample_weight": WEIGHT})[-1], expected)
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            clone(model).set_fit_request(sample_weight=True),
        )
        same_fit(pipeline.fit(X, Y, sample_weight=WEIGHT)[-1], expected)


def test_weights_through_a_search():
    with config_context(enable_metadata_routing=True):
        lasso = Lasso().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(lasso, {"alpha": GRID}, cv=GroupKFold(5))
        search.fit(X, Y, sample_weight=WEIGHT, groups=GROUPS)
    best = Lasso(alpha=search.best_params_["alpha"]).fit(X, Y, sample_weight=WEIGHT)
    same_fit(search.best_estimator_, best)


# Tables --------------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_frames_give_their_names(frame, model):
    table = frame(dict(zip(COLUMNS, X.T, strict=True)))
    fitted, expected = clone(model).fit(table, Y), clone(model).fit(X, Y)
    same_fit(fitted, expected)
    np.testing.assert_allclose(fitted.predict(table), expected.predict(X))
    if _get_feature_names(table) is None:
        pytest.skip("this scikit-learn does not see the names of this polars")
    assert list(fitted.feature_names_in_) == COLUMNS
    if hasattr(fitted, "path_"):
        assert list(fitted.path_.feature_names) == COLUMNS
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(table[COLUMNS[::-1]])


def test_a_path_has_the_names_of_the_frame():
    path = regularization_path(Ridge(), pd.DataFrame(X, columns=COLUMNS), Y, alphas=4)
    assert list(path.to_frame().columns[:12]) == COLUMNS


def read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


def strided(values: np.ndarray) -> np.ndarray:
    padded = np.full((2 * len(values), 3 * values.shape[1]), np.nan)
    padded[::2, 1::3] = values
    return padded[::2, 1::3]


def in_wide_indices(values: Any) -> Any:
    values.indices, values.indptr = values.indices.astype(np.int64), values.indptr.astype(np.int64)
    return values


def in_coo(values: np.ndarray) -> Any:
    """Each entry in two parts."""
    rows, columns = np.indices(values.shape)
    twice = np.tile([rows.ravel(), columns.ravel()], 2)
    return sparse.coo_array((np.tile(values.ravel() / 2, 2), twice), shape=values.shape)


def with_duplicates(values: np.ndarray) -> Any:
    """CSC with each entry stored in two parts, as some readers leave it."""
    columns = sparse.csc_array(values)
    return sparse.csc_array(
        (np.repeat(columns.data / 2, 2), np.repeat(columns.indices, 2), 2 * columns.indptr),
        shape=values.shape,
    )


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "Fortran order": np.asfortranarray,
    "read-only": read_only,
    "strided": strided,
    "reversed": lambda values: values[::-1, ::-1].copy()[::-1, ::-1],
    "list": lambda values: values.tolist(),
    "big-endian": lambda values: values.astype(">f8"),
    "csr_array": sparse.csr_array,
    "csc_array": sparse.csc_array,
    "coo_array": sparse.coo_array,
    "csr_matrix": sparse.csr_matrix,
    "csc_matrix": sparse.csc_matrix,
    "coo_matrix": sparse.coo_matrix,
    "64-bit CSR": lambda values: in_wide_indices(sparse.csr_array(values)),
    "64-bit CSC": lambda values: in_wide_indices(sparse.csc_array(values)),
    "COO with duplicates": in_coo,
    "CSC with duplicates": with_duplicates,
}


def contents(table: Any) -> list[np.ndarray]:
    if sparse.issparse(table) and table.format == "coo":
        return [table.data.copy(), table.row.copy(), table.col.copy()]
    if sparse.issparse(table):
        return [table.data.copy(), table.indices.copy(), table.indptr.copy()]
    return [np.array(table)]


@each_model
@pytest.mark.parametrize("standardize", [False, True], ids=["as it is", "standardized"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_fit_and_is_not_written_to(layout, standardize, model):
    holes = np.where(np.abs(X) < 0.5, 0.0, X)
    table = LAYOUTS[layout](holes)
    before = contents(table)
    model = clone(model).set_params(standardize=standardize)
    expected = clone(model).fit(holes, Y)
    fitted = model.fit(table, Y)
    same_fit(fitted, expected)
    np.testing.assert_allclose(fitted.predict(table), expected.predict(holes), rtol=1e-9)
    for old, new in zip(before, contents(table), strict=True):
        np.testing.assert_array_equal(old, new)


@each_model
def test_a_memory_mapped_file(model, tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    same_fit(clone(model).fit(mapped, read_only(Y)), clone(model).fit(X, Y))
    assert Path(mapped.filename).stat().st_size > X.nbytes


@each_model
@pytest.mark.parametrize("as_table", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_float32_in_float32_out(as_table, model):
    table = as_table(X.astype(np.float32))
    fitted = clone(model).fit(table, Y.astype(np.float32))
    assert fitted.coef_.dtype == np.float32
    assert np.asarray(fitted.intercept_).dtype == np.float32
    assert fitted.predict(table).dtype == np.float32
    same_fit(fitted, clone(model).fit(X, Y), rtol=1e-5)


@each_model
@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.uint16, object])
def test_booleans_and_integers(dtype, model):
    counts = np.clip(np.round(X + 3), 0, 1 if dtype is bool else 9)
    fitted = clone(model).fit(counts.astype(dtype), Y)
    same_fit(fitted, clone(model).fit(counts, Y))
    assert fitted.coef_.dtype == np.float64


def test_path_functions_take_sparse_tables_with_duplicates():
    centred, y = X - X.mean(axis=0), Y - Y.mean()
    _, expected, _ = lasso_path(centred, y, alphas=5, standardize=True)
    for table in (in_coo(centred), with_duplicates(centred)):
        _, coefs, _ = lasso_path(table, y, alphas=5, standardize=True)
        np.testing.assert_allclose(coefs, expected, rtol=1e-9, atol=1e-9)
