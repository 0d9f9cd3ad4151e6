"""Layers: what a network computes, forwards and backwards.

A layer is told once how many rows come (`resize`) and then works in buffers of its own. `forward`
keeps what `backward` of the same rows needs, so that no layer reads another's cache: a derivative
read off an activation that dropout has since scaled would be wrong. An `Activation` overwrites what
it is given; every `backward` may overwrite the gradient it is given.

Randomness is passed in: without a generator dropout passes its input through.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tiles import SMALL_PRODUCT, Product

Matrix = NDArray[Any]

# BLAS adds up the entries of a product in one order where the columns are a multiple of this, in
# those that were tried; with a column or two left over it depends on the rows beside.
EVEN = 8
# Rows of a block, and of half of one, whose products BLAS adds up in one order. With more rows it
# depends on the place of a row, in OpenBLAS for AVX2; with one or two it is another one.
ROWS_OF_BLOCK, HALF_BLOCK = 8, 4
# Terms of a sum up to which several threads add up a whole block as they do half of one: with 784
# they did, with 1000 they did not.
LONGEST_SHORT_SUM = 784


class Layer(ABC):
    """A function of a matrix of shape (n_rows, n_in), with its derivative."""

    _capacity = 0
    _out: Matrix
    _ones: Matrix

    def resize(self, n_rows: int) -> None:
        """Prepare for matrices of `n_rows` rows; buffers grow, and never shrink."""
        if n_rows > self._capacity:
            self._buffers = self._allocate(n_rows)
            self._capacity = n_rows
        for name, buffer in self._buffers.items():
            setattr(self, name, buffer[:n_rows])

    @abstractmethod
    def _allocate(self, n_rows: int) -> dict[str, Matrix]:
        """Make buffers for `n_rows` rows, by the names that `forward` and `backward` know."""

    @abstractmethod
    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """Value of the layer at `x`."""

    @abstractmethod
    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """Gradient in the input, from that in the output; those of the parameters are stored.

        With ``to_input=False`` what is returned means nothing, and is not computed.
        """


class Dense(Layer):
    """``x @ weight + bias``; x may be a sparse matrix.

    Parameters
    ----------
    weight, bias : ndarray of shape (n_in, n_out) and (n_out,)
    weight_gradient, bias_gradient : ndarray or None
        Where `backward` writes. None is for `forward` alone, where a row's value must not depend on
        the rows beside it: the weights are then filled up to a multiple of `EVEN` columns.
    by_blocks : bool
        Whether `forward` is `product_by_blocks`, for which only a single column is filled up.
    """

    _in: Matrix

    def __init__(
        self,
        weight: Matrix,
        bias: Matrix,
        weight_gradient: Matrix | None = None,
        bias_gradient: Matrix | None = None,
        *,
        by_blocks: bool = False,
    ) -> None:
        self.weight, self.bias = weight, bias
        self.weight_gradient, self.bias_gradient = weight_gradient, bias_gradient
        self._weight_t, self._used = weight.T, weight
        self._x: Any = None
        self._to_output: Any = product_by_blocks if by_blocks else np.dot
        self._to_weight: Any = np.dot
        self._to_input: Any = np.dot
        left_over = 0 if by_blocks and len(bias) > 1 else -len(bias) % EVEN
        if weight_gradient is None and left_over:
            self._used = np.zeros((len(weight), len(bias) + left_over), dtype=weight.dtype)
            self._used[:, : len(bias)] = weight

    def use_tiles(self, n_rows: int) -> None:
        """Multiply in tiles where `n_rows` rows are enough for them."""
        if n_rows * self.weight.size > SMALL_PRODUCT:
            self._to_output, self._to_weight, self._to_input = Product(), Product(), Product()

    def _allocate(self, n_rows: int) -> dict[str, Matrix]:
        dtype, width = self.weight.dtype, self._used.shape[1]
        # A product with ones adds up rows in half the time of a reduction along them.
        return {"_out": np.empty((n_rows, width), dtype), "_ones": np.ones(n_rows, dtype)}

    def forward(self, x: Any, rng: np.random.Generator | None = None) -> Matrix:
        """``x @ weight + bias``."""
        if isinstance(x, np.ndarray):
            if x is not self._x:
                self._x, self._x_t = x, x.T
            self._to_output(x, self._used, self._out)
        else:  # a sparse matrix
            self._x = x
            self._out[...] = x @ self._used
        out = self._out
        if self._used is not self.weight:
            out = out[:, : len(self.bias)]
        out += self.bias
        return out

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """Gradients in weight, bias and input."""
        if isinstance(self._x, np.ndarray):
            self._to_weight(self._x_t, gradient, self.weight_gradient)
        elif self.weight_gradient is not None:
            self.weight_gradient[...] = self._x.T @ gradient
        np.dot(self._ones, gradient, out=self.bias_gradient)
        if not to_input:
            return gradient
        if "_in" not in self._buffers:  # the first layer, which may be wide, seldom needs it
            self._buffers["_in"] = np.empty((self._capacity, len(self.weight)), self.weight.dtype)
            self._in = self._buffers["_in"][: len(gradient)]
        return self._to_input(gradient, self._weight_t, self._in)


def product_by_blocks(a: Matrix, b: Matrix, out: Matrix) -> Matrix:
    """``a @ b``, written into `out`, each row to the last digit the same whatever its place.

    The number of rows is a multiple of `HALF_BLOCK`. Many take twice the time of one product.
    """
    n_rows, n_columns = out.shape
    short = len(b) <= LONGEST_SHORT_SUM
    small = short and ROWS_OF_BLOCK * b.size <= SMALL_PRODUCT
    if short and not small and HALF_BLOCK * b.size <= SMALL_PRODUCT:
        # By columns it is small, which takes less time than half blocks do.
        middle = n_columns // 2
        for part in (slice(middle), slice(middle, None)):
            product_by_blocks(a, b[:, part], out[:, part])
        return out
    height = ROWS_OF_BLOCK if small else HALF_BLOCK  # a large block is cut up in other ways
    whole = n_rows - n_rows % height
    if whole:
        blocks = out[:whole].reshape(-1, height, n_columns)
        np.matmul(a[:whole].reshape(-1, height, a.shape[1]), b, out=blocks)
    if whole < n_rows:
        np.matmul(a[whole:], b, out=out[whole:])
    return out


class Activation(Layer):
    """A function of each entry, in place; of `dtype` and shape (n_rows, width).

    With `slopes` there is a buffer for its derivative, which `backward` asks for.
    """

    _slope: Matrix

    def __init__(self, width: int, dtype: Any, slopes: bool = True) -> None:
        self._width, self._dtype, self._slopes = width, np.dtype(dtype), slopes

    def _allocate(self, n_rows: int) -> dict[str, Matrix]:
        if not self._slopes:
            return {}
        return {"_slope": np.empty((n_rows, self._width), dtype=self._dtype)}


class Relu(Activation):
    """``max(x, 0)``."""

    _positive: Matrix

    def _allocate(self, n_rows: int) -> dict[str, Matrix]:
        positive = np.empty((n_rows, self._width), dtype=bool)
        return {"_positive": positive, **super()._allocate(n_rows)}

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """``x`` where it is positive, else 0."""
        # A product with a mask of floats takes half as long as np.maximum, and backward needs the
        # mask; one of bools is converted in every product. 0.0 * inf is NaN, as it should be.
        np.greater(x, 0.0, out=self._positive)
        if not self._slopes:
            return np.multiply(x, self._positive, out=x)
        np.copyto(self._slope, self._positive)
        return np.multiply(x, self._slope, out=x)

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """The gradient where x was positive, else 0."""
        return np.multiply(gradient, self._slope, out=gradient)


class Tanh(Activation):
    """Hyperbolic tangent."""

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """``tanh(x)``."""
        self._value = np.tanh(x, out=x)
        return x

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """The gradient times ``1 - tanh(x)^2``."""
        slope = np.multiply(self._value, self._value, out=self._slope)
        np.subtract(1.0, slope, out=slope)
        return np.multiply(gradient, slope, out=gradient)


class Sigmoid(Activation):
    """Logistic sigmoid."""

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """``1 / (1 + exp(-x))``."""
        # By tanh, which NumPy vectorises and which cannot overflow.
        x *= 0.5
        np.tanh(x, out=x)
        x *= 0.5
        x += 0.5
        self._value = x
        return x

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """The gradient times ``s (1 - s)``."""
        slope = np.subtract(1.0, self._value, out=self._slope)
        slope *= self._value
        return np.multiply(gradient, slope, out=gradient)


ACTIVATIONS: dict[str, type[Activation] | None] = {
    "identity": None,  # needs no layer
    "logistic": Sigmoid,
    "relu": Relu,
    "tanh": Tanh,
}


class Dropout(Layer):
    """Each entry is zero with probability `rate`, else scaled by ``1 / (1 - rate)``.

    The expected output is the input (inverted scaling; Srivastava et al., JMLR 15, 2014), so that
    prediction, which has no generator, passes its input through.

    Parameters
    ----------
    rate : float
        In [0, 1).
    width : int
        Columns of the input.
    dtype : dtype
    """

    _kept: Matrix
    _mask: Matrix

    def __init__(self, rate: float, width: int, dtype: Any) -> None:
        self.rate = rate
        self._width, self._dtype = width, np.dtype(dtype)
        self._dropping = False

    def _allocate(self, n_rows: int) -> dict[str, Matrix]:
        shape, dtype = (n_rows, self._width), self._dtype
        kept = np.empty(shape, dtype=bool)
        return {"_kept": kept, "_mask": np.empty(shape, dtype), "_out": np.empty(shape, dtype)}

    def forward(self, x: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """A random mask times `x`; `x` itself without a generator."""
        self._dropping = rng is not None
        if rng is None:
            return x
        keep = 1.0 - self.rate
        np.multiply(self._draw(keep, rng), 1.0 / keep, out=self._mask)
        return np.multiply(x, self._mask, out=self._out)

    def _draw(self, keep: float, rng: np.random.Generator) -> Matrix:
        """Zeros and ones, of bool or uint8."""
        shape, size = self._kept.shape, self._kept.size
        if keep == 0.5:  # one bit decides
            words = rng.bit_generator.random_raw((size + 63) // 64)
            return np.unpackbits(words.view(np.uint8), count=size).reshape(shape)
        raw = np.asarray(rng.bit_generator.random_raw((size + 3) // 4)).view(np.uint16)[:size]
        # Sixteen random bits are below t with probability t / 65536. A rate between two such
        # thresholds takes the upper one as often as makes the probability exact.
        threshold = int(keep * 65536.0 + rng.random())
        if threshold > 65535:
            self._kept.fill(True)
            return self._kept
        return np.less(raw.reshape(shape), np.uint16(threshold), out=self._kept)

    def backward(self, gradient: Matrix, to_input: bool = True) -> Matrix:
        """The gradient times the mask of the last `forward`."""
        if not self._dropping:
            return gradient
        return np.multiply(gradient, self._mask, out=gradient)
