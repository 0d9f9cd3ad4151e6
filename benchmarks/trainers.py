"""How each library is asked to train the net of a cell.

Each function returns the seconds of the steps and a function that reads the probabilities of the
classes, one row a row of X.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from .networks import ALPHA, CLASSES, seconds
from .problems import Array, Problem

Trained = tuple[Callable[[], Array], float]


def with_scikit_learn_s_interface(
    estimator: Any,
    problem: Problem,
    dtype: type[np.floating],
    alpha: float,
    threads: int,
    **more: Any,
) -> Trained:
    net = problem.net
    X, y = np.ascontiguousarray(problem.X, dtype=dtype), problem.y.astype(int)
    options = {"hidden_layer_sizes": net.hidden, "batch_size": net.batch, "alpha": alpha, **more}

    def train(epochs: int) -> Any:
        # no tolerance and no patience: every epoch is trained
        model = estimator(
            max_iter=epochs, tol=0.0, n_iter_no_change=10**6, random_state=0, **options
        )
        return model.fit(X, y)

    model, taken = seconds(train, net.epochs, threads)
    return lambda: model.predict_proba(X), taken


def skreg_net(problem: Problem, threads: int) -> Trained:
    estimator = import_module("skreg").MLPClassifier
    dropout = {"dropout": problem.net.dropout} if problem.net.dropout else {}
    return with_scikit_learn_s_interface(estimator, problem, np.float32, ALPHA, threads, **dropout)


def scikit_learn_net(problem: Problem, dtype: type[np.floating], threads: int) -> Trained:
    estimator = import_module("sklearn.neural_network").MLPClassifier
    alpha = ALPHA * problem.net.batch  # it divides alpha by the batch size
    return with_scikit_learn_s_interface(estimator, problem, dtype, alpha, threads)


def pytorch_net(problem: Problem, implementation: str, threads: int) -> Trained:
    """An eager loop over tensors in memory, with one of PyTorch's implementations of Adam."""
    torch = import_module("torch")
    torch.set_num_threads(threads)
    net = problem.net
    X = torch.from_numpy(np.ascontiguousarray(problem.X, dtype=np.float32))
    y = torch.from_numpy(problem.y.astype(np.int64))

    def train(epochs: int) -> Any:
        torch.manual_seed(0)
        layers, width = [], X.shape[1]
        for size in net.hidden:
            layers += [torch.nn.Linear(width, size), torch.nn.ReLU()]
            layers += [torch.nn.Dropout(net.dropout)] if net.dropout else []
            width = size
        model = torch.nn.Sequential(*layers, torch.nn.Linear(width, CLASSES))
        loss = torch.nn.CrossEntropyLoss()
        adam = torch.optim.Adam(
            model.parameters(),
            weight_decay=ALPHA,
            foreach=implementation == "foreach",
            fused=implementation == "fused",
        )
        model.train()
        for _ in range(epochs):
            for batch in torch.randperm(len(X)).split(net.batch):
                adam.zero_grad()
                loss(model(X[batch]), y[batch]).backward()
                adam.step()
        return model

    model, taken = seconds(train, net.epochs, threads)

    def read() -> Array:
        model.eval()
        with torch.no_grad():
            return torch.softmax(model(X), dim=1).numpy()

    return read, taken


def bare_products(problem: Problem, threads: int) -> Trained:
    """The matrix products of the steps in float32, and nothing else: no net comes of it."""
    net, n = problem.net, len(problem.y)
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return rng.standard_normal(shape, dtype=np.float32)

    sizes = (problem.X.shape[1], *net.hidden, CLASSES)
    weights = [draw(a, b) for a, b in pairwise(sizes)]
    gradients = [np.empty_like(weight) for weight in weights]
    inputs = [draw(net.batch, size) for size in sizes]
    errors = [draw(net.batch, size) for size in sizes]

    def train(epochs: int) -> None:
        for _ in range(epochs * (n // net.batch)):
            for k, weight in enumerate(weights):
                np.matmul(inputs[k], weight, out=inputs[k + 1])
            for k in reversed(range(len(weights))):
                np.matmul(inputs[k].T, errors[k + 1], out=gradients[k])
                if k:
                    np.matmul(errors[k + 1], weights[k].T, out=errors[k])

    _, taken = seconds(train, net.epochs, threads)
    return lambda: np.full((n, CLASSES), 1 / CLASSES), taken
