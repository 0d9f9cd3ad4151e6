"""`skreg.report` on tables of every kind: frames with categories, sparse and wide matrices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skreg
from skreg import LassoCV, Ridge


def mixed(n=120):
    rng = np.random.default_rng(0)
    pandas = pytest.importorskip("pandas")
    size = rng.normal(10, 3, n)
    frame = pandas.DataFrame(
        {
            "size": size,
            "town": pandas.Categorical(rng.choice(["Ulm", "Bonn", "Köln"], n)),
            "note": np.where(rng.random(n) < 0.5, None, "x"),
            "count": pandas.array(rng.integers(0, 5, n), dtype="Int64"),
        }
    )
    frame.loc[3, "size"] = np.nan
    frame.loc[4, "count"] = pandas.NA
    return frame, pandas.Series(2 * size + rng.normal(size=n), name="price")


def test_a_frame_with_categories(gather):
    from sklearn.impute import SimpleImputer

    X, y = mixed()
    prepare = ColumnTransformer(
        [("n", SimpleImputer(), ["size"]), ("c", OneHotEncoder(), ["town"])],
        verbose_feature_names_out=False,
    )
    found = gather(make_pipeline(prepare, LassoCV()), X, y)
    kinds = {column.name: (column.kind, column.n_missing) for column in found.glance.columns}
    assert kinds["size"] == ("number", 1)
    assert kinds["town"] == ("category", 0)
    assert kinds["note"] == ("category", int(X["note"].isna().sum()))
    assert kinds["count"] == ("number", 1)
    assert found.glance.target == "price"
    assert list(found.models[0].coefficients.names) == [
        "size",
        "town_Bonn",
        "town_Köln",
        "town_Ulm",
    ]


def test_polars(gather):
    polars = pytest.importorskip("polars")
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    frame = polars.DataFrame(X.to_numpy(), schema=list(X.columns))
    model = make_pipeline(StandardScaler(), LassoCV())
    found = gather(model, frame, polars.Series("progress", y.to_numpy()))
    assert found.glance.target == "progress"
    assert found.glance.columns[2].name == "bmi"
    same = gather(model, X, y)
    assert_allclose(found.models[0].held_out, same.models[0].held_out)


def test_sparse_stays_sparse(gather, monkeypatch):
    rng = np.random.default_rng(0)
    X = sparse.csc_array(sparse.random(150, 3000, density=0.01, random_state=0))
    y = np.asarray(X[:, [0]].todense()).ravel() + rng.normal(size=150)
    made = []
    original = sparse.csr_array.toarray

    def toarray(self, *arguments, **options):
        made.append(self.shape[0] * self.shape[1])
        return original(self, *arguments, **options)

    for kind in (sparse.csr_array, sparse.csc_array):
        monkeypatch.setattr(kind, "toarray", toarray)
    found = gather(LassoCV(), X, y)
    assert found.models[0].path is not None
    assert max(made, default=0) < 150 * 3000
    assert "2,000" in found.glance.notes[0]
    said = {column.summary for column in found.glance.columns}
    assert "always 0" in said
    assert any(summary.startswith("not zero in 1.3% of the rows, from 0 to ") for summary in said)


def test_a_wide_table_takes_no_square_matrix(gather):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 5000)).astype(np.float32)
    X[:, 4000] = X[:, 10] + 1e-3 * rng.normal(size=20)
    found = gather(Ridge(), X, rng.normal(size=20), cv=2)
    assert [group.names for group in found.glance.correlated] == [("x10", "x4000")]


MOST_BYTES = 5_000_000


@pytest.mark.parametrize("name", ["golub", "ames", "spambase"])
def test_real_tables_give_pages_of_a_few_megabytes(name, shared_data, tmp_path):
    data = shared_data(name)
    X, y = data["X"].astype(float), data["y"]
    names = data.get("feature_names")
    model = LassoCV() if name == "ames" else LogisticRegression(C=0.01, max_iter=1000)
    page = skreg.report(
        make_pipeline(StandardScaler(), model),
        X,
        y,
        cv=3,
        path=tmp_path / f"{name}.html",
        feature_names=None if names is None else names.tolist(),
    )
    assert 50_000 < page.stat().st_size < MOST_BYTES
    assert ("Rows are repeated" in page.read_text(encoding="utf-8")) == (name == "spambase")
