"""Sparse rows: thin ones through sparse products, others made dense batch by batch."""

import numpy as np
import pytest
from scipy import sparse

from skreg import MLPClassifier, MLPRegressor
from skreg.neural.engine import network

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 120


def table(density, dtype=np.float64):
    X = sparse.random(N, 60, density=density, format="csr", random_state=0, dtype=dtype)
    return X, np.asarray(X.sum(axis=1)).ravel() + 0.1 * np.arange(N) % 2


@pytest.mark.parametrize("density", [0.02, 0.4], ids=["thin", "thick"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"solver": "lbfgs"},
        {"dropout": 0.3, "normalization": "batch"},
        {"input_dropout": 0.2},
        {"input_noise": 0.1, "mixup": 0.2},
        {"adversarial_eps": 0.01},
        {"early_stopping": True, "scoring": "loss"},
        {"penalty": "l1", "alpha": 0.01},
    ],
    ids=str,
)
def test_sparse_is_dense(options, density):
    X, y = table(density)
    common = {"hidden_layer_sizes": 7, "max_iter": 5, "random_state": 0, "dtype": "float64"}
    model = MLPRegressor(**common, batch_size=32, **options)
    thin = model.fit(X, y)
    predicted, hidden = thin.predict(X), thin.hidden_activations(X)
    whole = MLPRegressor(**common, batch_size=32, **options).fit(X.toarray(), y)
    # Adam makes steps of gradients that are zero but for rounding
    np.testing.assert_allclose(predicted, whole.predict(X.toarray()), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(hidden[0], whole.hidden_activations(X.toarray())[0], atol=1e-7)
    np.testing.assert_allclose(predicted, whole.predict(X), rtol=1e-6, atol=1e-8)
    if options.get("input_dropout"):
        draws = thin.predict_samples(X, 3, random_state=0)
        expected = whole.predict_samples(X.toarray(), 3, random_state=0)
        np.testing.assert_allclose(draws, expected, atol=1e-7)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
@pytest.mark.parametrize("container", ["matrix", "array"])
def test_every_container_is_read(kind, container):
    X, y = table(0.02)
    given = getattr(sparse, f"{kind}_{container}")(X)
    model = MLPClassifier(5, max_iter=2, random_state=0).fit(given, y > 0.5)
    expected = MLPClassifier(5, max_iter=2, random_state=0).fit(X, y > 0.5).predict_proba(X)
    np.testing.assert_array_equal(model.predict_proba(given), expected)


@pytest.mark.parametrize(("density", "largest"), [(0.02, 0), (0.4, 50)])
def test_no_more_than_a_batch_is_made_dense(density, largest, monkeypatch):
    X, y = table(density)
    made = []
    inner = network.rows_of

    def rows_of(*args, **options):
        rows = inner(*args, **options)
        if not sparse.issparse(rows):
            made.append(len(rows))
        return rows

    monkeypatch.setattr(network, "rows_of", rows_of)
    monkeypatch.setattr(network, "WIDEST_BLOCK", 1)
    MLPRegressor(5, max_iter=2, batch_size=50, random_state=0).fit(X, y)
    assert max(made, default=0) <= max(largest, 64 * (largest > 0))
