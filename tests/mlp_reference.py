"""Networks written down as formulas: the objective, its differences, and a way to one step of it.

Nothing here knows how skreg computes. A step of plain gradient descent with learning rate 1 on all
rows at once is minus the gradient, which is how a gradient is seen from outside.
"""

import numpy as np
from scipy.special import expit, log_softmax, xlogy

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "logistic": expit,
}


def normalised(z, normalization):
    """Columns or rows with mean 0 and variance 1, as layers have them before they have learned."""
    if normalization is None:
        return z
    axis = 0 if normalization == "batch" else 1
    centred = z - z.mean(axis=axis, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=axis, keepdims=True) + 1e-5)


def raw_predictions(X, coefs, intercepts, activation="relu", normalization=None):
    z = np.asarray(X, dtype=np.float64)
    for k, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        z = z @ W + b
        if k + 1 < len(coefs):
            z = ACTIVATIONS[activation](normalised(z, normalization))
    return z


def binary(z, y):
    return (np.logaddexp(0, z) - y * z).sum(axis=1)


def multiclass(z, y):
    return -(y * log_softmax(z, axis=1)).sum(axis=1)


def squared_error(z, y):
    return ((z - y) ** 2).sum(axis=1) / 2


def absolute_error(z, y):
    return np.abs(z - y).sum(axis=1)


def huber(z, y, delta):
    r = np.abs(z - y)
    return np.where(r <= delta, r**2 / 2, delta * (r - delta / 2)).sum(axis=1)


def poisson(z, y):
    return (np.exp(z) - y * z + xlogy(y, y) - y).sum(axis=1)


def quantile(z, y, q):
    r = y - z
    return np.maximum(q * r, (q - 1) * r).sum(axis=1)


def mean(losses, weights=None):
    return float(np.average(losses, weights=weights))


def differences(objective, arrays, step=1e-5):
    """Central differences of ``objective()`` in every entry of some arrays."""
    found = []
    for array in arrays:
        slope = np.empty_like(array)
        for place in np.ndindex(array.shape):
            held = array[place]
            array[place] = held + step
            above = objective()
            array[place] = held - step
            below = objective()
            array[place] = held
            slope[place] = (above - below) / (2 * step)
        found.append(slope)
    return found


PLAIN_STEP = {
    "solver": "sgd",
    "momentum": 0.0,
    "max_iter": 1,
    "shuffle": False,
    "dtype": "float64",
    "random_state": 0,
}


def parameters(model):
    return [np.array(each) for each in (*model.coefs_, *model.intercepts_)]


def start_and_gradients(estimator, X, y, sample_weight=None, **options):
    """The weights and biases that training starts from, and the gradient that a step shows."""
    options = {"batch_size": len(y), **PLAIN_STEP, **options}
    weights = () if sample_weight is None else (sample_weight,)
    still = estimator(**options, learning_rate_init=1e-300).fit(X, y, *weights)
    moved = estimator(**options, learning_rate_init=1.0).fit(X, y, *weights)
    start = parameters(still)
    gradients = [a - b for a, b in zip(start, parameters(moved), strict=True)]
    return start, gradients
