"""Networks of convolutions, and how skreg and PyTorch are asked to train the same one.

A training returns a `Record`. Images are (n, height, width, channels) float32; PyTorch gets them
as it prefers them, (n, channels, height, width), before its clock runs.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from time import perf_counter, process_time
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

CLASSES = 10


@dataclass(frozen=True)
class ConvNet:
    """Convolutions as large as their images, each followed by max-pooling, then dense layers."""

    image: tuple[int, int, int]
    channels: tuple[int, ...]
    hidden: tuple[int, ...]
    kernel: int = 5
    pool: int = 2
    activation: str = "relu"
    solver: str = "adam"
    rate: float = 1e-3
    alpha: float = 0.0  # of the penalty alpha/2 ||W||² on kernels and weights, biases free
    batch: int = 64
    schedule: str = "constant"  # or "cosine": from `rate` to 0 along half a cosine
    shuffle: bool = True
    augment: dict[str, Any] | None = None

    @classmethod
    def read(cls, given: dict[str, Any]) -> ConvNet:
        """From plain JSON."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})

    @property
    def layers(self) -> list[tuple[int, int, int, int]]:
        """Height, width, channels in and out of each convolution."""
        height, width, _ = self.image
        steps = pairwise((self.image[2], *self.channels))
        shrink = [self.pool**k for k in range(len(self.channels))]
        return [(height // s, width // s, *step) for s, step in zip(shrink, steps, strict=True)]

    @property
    def flat(self) -> tuple[int, int, int]:
        """Height, width and channels of what the dense layers see."""
        height, width, _, channels = self.layers[-1]
        return height // self.pool, width // self.pool, channels


@dataclass
class Record:
    """What a training came to: a figure an epoch each, and a function that gives classes."""

    losses: list[float] = field(default_factory=list)  # mean of the batches, without the penalty
    seconds: list[float] = field(default_factory=list)  # the processor's
    wall: list[float] = field(default_factory=list)
    predict: Callable[[Any], Any] | None = None


Weights = tuple[list[Any], list[Any]]  # kernels and dense matrices; their biases


def generated(net: ConvNet, n: int) -> tuple[Any, Any]:
    """Images of noise with classes at random: for the clock alone."""
    rng = np.random.default_rng(0)
    return rng.random((n, *net.image), dtype=np.float32), rng.integers(0, CLASSES, n)


class Watch:
    """A callback that keeps the weights at the start and takes the time of each epoch."""

    def __init__(self) -> None:
        self.record = Record()

    def _mark(self) -> None:
        self._since, self._wall = process_time(), perf_counter()

    def on_fit_begin(self, model: Any) -> None:
        dense = model.coefs_[len(model.kernels_) :]
        weights = [np.array(weight) for weight in (*model.kernels_, *dense)]
        self.start: Weights = weights, [np.array(bias) for bias in model.intercepts_]
        self._mark()

    def on_epoch_end(self, model: Any, epoch: int, history: Any) -> None:
        record = self.record
        record.seconds.append(process_time() - self._since)
        record.wall.append(perf_counter() - self._wall)
        penalty = 0.5 * model.alpha * float(np.sum(np.square(history["weight_norms"][-1])))
        record.losses.append(history["objective"][-1] - penalty)
        self._mark()


def ours(net: ConvNet, X: Any, y: Any, epochs: int, *, seed: int = 0) -> tuple[Record, Weights]:
    """`ConvClassifier`, and the weights that it began with."""
    watch = Watch()
    model = import_module("skreg").ConvClassifier(
        conv_layer_sizes=net.channels,
        kernel_size=net.kernel,
        pool_size=net.pool,
        hidden_layer_sizes=net.hidden,
        activation=net.activation,
        solver=net.solver,
        momentum=0.0,
        nesterovs_momentum=False,
        learning_rate=net.schedule,
        learning_rate_init=net.rate,
        alpha=net.alpha,
        batch_size=net.batch,
        shuffle=net.shuffle,
        augment=net.augment,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=10**6,
        random_state=seed,
        callbacks=[watch],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
        model.fit(X, y)
    watch.record.predict = model.predict
    return watch.record, watch.start


def pytorch(
    net: ConvNet, X: Any, y: Any, epochs: int, *, seed: int = 0,
    start: Weights | None = None, channels_last: bool = False,
) -> Record:  # fmt: skip
    """An eager loop over tensors in memory, without a data loader, on one thread.

    `start` are weights in skreg's shapes, with which both then begin alike. With `channels_last`
    PyTorch stores images, kernels and what is between them as skreg has its images.
    """
    torch = import_module("torch")
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    nn = torch.nn
    modules: list[Any] = []
    act = {"relu": nn.ReLU, "identity": nn.Identity, "tanh": nn.Tanh}[net.activation]
    for _, _, c_in, c_out in net.layers:
        modules += [nn.Conv2d(c_in, c_out, net.kernel, padding=net.kernel // 2), act()]
        modules += [nn.MaxPool2d(net.pool)]
    modules.append(nn.Flatten())
    for a, b in pairwise((int(np.prod(net.flat)), *net.hidden, CLASSES)):
        modules += [nn.Linear(a, b), act()]
    model = nn.Sequential(*modules[:-1])
    if start is not None:
        copy_weights(torch, model, net, start)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = model.to(memory_format=layout)
    weights = [p for p in model.parameters() if p.ndim > 1]
    biases = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": weights, "weight_decay": net.alpha}, {"params": biases}]
    sgd = net.solver == "sgd"
    optimizer = (torch.optim.SGD if sgd else torch.optim.Adam)(groups, lr=net.rate)
    n_steps, step = epochs * math.ceil(len(y) / net.batch), 0
    loss = nn.CrossEntropyLoss()
    augmentation = None
    if net.augment:
        kind = import_module("skreg.neural.engine.image_augmentation").ImageAugmentation
        augmentation = kind.checked(net.augment, net.image[:2])
    given = torch.from_numpy(X).permute(0, 3, 1, 2).contiguous(memory_format=layout)
    classes = torch.from_numpy(y.astype(np.int64))
    record = Record()
    model.train()
    for _ in range(epochs):
        since, wall, total = process_time(), perf_counter(), 0.0
        order = rng.permutation(len(y)) if net.shuffle else np.arange(len(y))
        for rows in np.split(order, range(net.batch, len(y), net.batch)):
            if augmentation is None:
                batch = given[torch.from_numpy(rows)]
            else:
                images = X[rows]
                augmentation.apply(images, rng)
                batch = (
                    torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=layout)
                )
            if net.schedule == "cosine":
                for group in optimizer.param_groups:
                    group["lr"] = net.rate * 0.5 * (1 + math.cos(math.pi * step / n_steps))
            step += 1
            optimizer.zero_grad()
            value = loss(model(batch), classes[torch.from_numpy(rows)])
            value.backward()
            optimizer.step()
            total += float(value.detach()) * len(rows)
        record.seconds.append(process_time() - since)
        record.wall.append(perf_counter() - wall)
        record.losses.append(total / len(y))

    def predict(images: Any) -> Any:
        model.eval()
        with torch.no_grad():
            parts = np.split(images.transpose(0, 3, 1, 2), range(500, len(images), 500))
            outputs = [model(torch.from_numpy(np.ascontiguousarray(part))) for part in parts]
        return torch.cat(outputs).argmax(1).numpy()

    record.predict = predict
    return record


def copy_weights(torch: Any, model: Any, net: ConvNet, start: Weights) -> None:
    """Give PyTorch's net weights in skreg's shapes: kernels (kh, kw, c_in, c_out), inputs first."""
    layers = [module for module in model if hasattr(module, "weight")]
    with torch.no_grad():
        for k, (layer, weight, bias) in enumerate(zip(layers, *start, strict=True)):
            weight = np.asarray(weight)
            if weight.ndim == 4:
                weight = weight.transpose(3, 2, 0, 1)
            elif k == len(net.channels):  # pixels first with us, channels first with PyTorch
                weight = weight.reshape(*net.flat, -1).transpose(3, 2, 0, 1).reshape(len(bias), -1)
            else:
                weight = weight.T
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
            layer.bias.copy_(torch.from_numpy(np.ascontiguousarray(bias)))
