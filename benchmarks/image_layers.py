"""Each layer of a network of convolutions by itself: forwards, then backwards with its gradients.

The first layer is asked for no gradient in the images, as in a training. The bare products of a
layer are those that any way by matrix products has to do, on the BLAS of NumPy: every patch with
every kernel, and as much again for each of the two gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from time import process_time
from typing import Any

import numpy as np

from .image_nets import ConvNet

REPEATS = 30

Times = dict[str, tuple[float, float]]  # seconds of a layer and of its bare products


def times_of_layers(library: str, net: ConvNet, repeats: int = REPEATS) -> Times:
    """The least of some times of each layer."""
    rng = np.random.default_rng(0)
    make = our_layer if library == "skreg" else torch_layer
    found = {}
    for k, (height, width, c_in, c_out) in enumerate(net.layers):
        shape = height, width, c_in
        weight = rng.standard_normal((net.kernel, net.kernel, c_in, c_out), dtype=np.float32) / 10
        name = f"convolution {k + 1}, {height}x{width}, {c_in} to {c_out}"
        patch, pixels = net.kernel**2, net.batch * height * width
        sizes = [(pixels, patch * c_in, c_out), (patch * c_in, pixels, c_out)]
        sizes += [(pixels, patch * c_out, c_in)] * (k > 0)
        run = make("convolution", net, shape, weight, first=k == 0)
        found[name] = least(run, repeats), products(sizes, repeats)
        run = make("pooling", net, (height, width, c_out), None, first=False)
        found[f"max-pooling {k + 1}, {height}x{width}, {c_out}"] = least(run, repeats), 0.0
    return found


def least(run: Callable[[], Any], repeats: int) -> float:
    def timed() -> float:
        start = process_time()
        run()
        return process_time() - start

    run()
    return min(timed() for _ in range(repeats))


def products(sizes: list[tuple[int, int, int]], repeats: int) -> float:
    """Seconds of products of (a x b) with (b x c) matrices in float32, each at its least."""
    total = 0.0
    for a, b, c in sizes:
        left, right, out = (np.ones(shape, dtype=np.float32) for shape in ((a, b), (b, c), (a, c)))
        total += least(lambda x=left, y=right, z=out: np.matmul(x, y, out=z), repeats)
    return total


def our_layer(
    kind: str, net: ConvNet, shape: tuple[int, int, int], weight: Any, first: bool
) -> Callable[[], Any]:
    height, width, channels = shape
    rng = np.random.default_rng(1)
    layer: Any
    if kind == "convolution":
        flat = weight.reshape(-1, weight.shape[3])
        bias = np.zeros(weight.shape[3], dtype=np.float32)
        layer = import_module("skreg.neural.engine.conv").Conv2D(
            shape, weight.shape[:2], flat, bias, np.empty_like(flat), np.empty_like(bias)
        )
    else:
        pooling = import_module("skreg.neural.engine.pooling")
        layer = pooling.MaxPool2D(shape, (net.pool, net.pool), np.float32)
    x = rng.standard_normal((height * net.batch * width, channels), dtype=np.float32)
    slopes = np.ones_like(layer.forward(x))

    def run() -> None:
        layer.forward(x)
        layer.backward(slopes, to_input=not first)

    return run


def torch_layer(
    kind: str, net: ConvNet, shape: tuple[int, int, int], weight: Any, first: bool
) -> Callable[[], Any]:
    torch = import_module("torch")
    torch.set_num_threads(1)
    height, width, channels = shape
    layer: Any
    if kind == "convolution":
        layer = torch.nn.Conv2d(*weight.shape[2:], net.kernel, padding=net.kernel // 2)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight.transpose(3, 2, 0, 1).copy()))
    else:
        layer = torch.nn.MaxPool2d(net.pool)
    x = torch.randn(net.batch, channels, height, width, requires_grad=not first)
    slopes = torch.ones_like(layer(x))

    def run() -> None:
        x.grad = None
        layer.zero_grad()
        layer(x).backward(slopes)

    return run
