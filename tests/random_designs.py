"""Random designs with ranks, copies and ties that are exact."""

import numpy as np


def random_design(kind, n, p, rng):
    # Multiples of 1/2^8, so that ranks and copies are exact, also beside an offset.
    X = np.round(rng.standard_normal((n, p)) * 256) / 256
    if kind == "low rank":
        rank = max(1, min(n, p) // 2)
        return X[:, :rank] @ (np.round(rng.standard_normal((rank, p)) * 256) / 256)
    if kind == "copies":
        return X[:, rng.integers(0, max(1, p // 3), p)] * rng.choice([-1.0, 1.0], p)
    if kind == "one-hot":
        return (rng.integers(0, p, n)[:, None] == np.arange(p)).astype(float)
    if kind == "integers":  # many ties
        return rng.integers(-2, 3, (n, p)).astype(float)
    if kind == "correlated":
        return X / 8 + np.round(rng.standard_normal((n, 1)) * 256) / 256
    return X
