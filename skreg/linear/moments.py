"""Moments of rows: what is kept of data that stay elsewhere, and all that a linear fit needs."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ..data.moments import MomentMatrix
from ..data.products import Array, adjoint, is_sparse
from ..estimators.ready import FLOATS
from ..estimators.validation import NotATable, check_weights
from ..files import check_path, write
from ..solvers.numerics import EPS
from .room import refuse_too_large
from .training_data import check_data

# What marks a file of moments, and its version.
FORMAT = "skreg.Moments 1"
# What it holds beside.
HELD = (
    "S",
    "reference",
    "rounding",
    "n_rows",
    "n_features",
    "feature_names",
    "dtype",
    "one_target",
)
# What reading a file that is damaged, or of another kind, may raise.
UNREADABLE = (
    OSError,
    EOFError,
    TypeError,
    ValueError,
    RuntimeError,
    BadZipFile,
    struct.error,
    zlib.error,
)
# Sums of squares outside of these are near the ends of floating point.
SMALLEST_SQUARES, LARGEST_SQUARES = 1e-200, 1e200


@dataclass(frozen=True, eq=False)
class Moments(NotATable):
    """Sums over weighted rows of X and y, from which a model of the squared error is fitted.

    Sums of weights, of X, y, X'X, X'y and y'y about the means, (p + q + 1)^2 numbers for p features
    and q targets however many rows there are. ``a + b`` has the rows of both, in any order and any
    tree of sums the same but for rounding; ``a - b`` those of `a` without those of `b`. Moments are
    not changed: each operation makes new ones.

    Attributes
    ----------
    n_rows : int
        Rows that were summed.
    weight : float
        The sum of their weights.
    n_features, n_targets : int
    feature_names : ndarray of shape (n_features,) or None
        Where X has names that are all strings.
    dtype : dtype
        Of the coefficients of a fit: float32 where every X was.
    one_target : bool
        Whether y has one dimension.
    matrix : MomentMatrix
        The sums ``S`` themselves and the reference that they are about, features first.
    rounding : ndarray of shape (n_features + n_targets,)
        What rounding may have changed of the diagonal of S.
    digits : ndarray of shape (n_features + n_targets,)
        Decimal digits that are certain of the variance of each column, features first: about 15
        but for what subtractions left.

    See Also
    --------
    Lasso.fit_moments : Fits to moments.
    Lasso.partial_fit : Fits to blocks of rows.

    Notes
    -----
    Rows are summed about their own mean in float64, and means are joined by the formulas of Chan,
    Golub and LeVeque (The American Statistician 37(3), 1983): a mean far from zero costs no digits.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skreg import Lasso, Moments
    >>> X, y = load_diabetes(return_X_y=True)
    >>> moments = Moments.of(X[:200], y[:200]) + Moments.of(X[200:], y[200:])
    >>> model = Lasso(alpha=0.1).fit_moments(moments)
    >>> bool(abs(model.coef_ - Lasso(alpha=0.1).fit(X, y).coef_).max() < 1e-9)
    True
    """

    _taken_by: ClassVar[str] = "fit_moments"

    matrix: MomentMatrix
    n_rows: int
    feature_names: NDArray[Any] | None
    dtype: np.dtype[Any]
    one_target: bool
    rounding: Array

    @classmethod
    def of(
        cls, X: Any, y: Any, sample_weight: Any = None, feature_names: Sequence[str] | None = None
    ) -> Self:
        """Moments of the rows of X and y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
        sample_weight : array-like of shape (n_rows,), float or None, default=None
        feature_names : sequence of str, optional
            What the columns are called, where X does not say it.

        Raises
        ------
        ValueError
            If the input is invalid, or the sums would not fit into memory.
        """
        checked = check_block(X, y, sample_weight, feature_names, cls.__name__)
        return cls._of_checked(*checked)

    @classmethod
    def _of_checked(
        cls, table: Any, target: Array, weight: Array | None, names: NDArray[Any] | None
    ) -> Self:
        """Those of what `check_block` returns, or of some of its rows."""
        n_rows, n_features = table.shape
        Y = target.reshape(n_rows, -1)
        refuse_too_large(n_features + Y.shape[1] + 1)
        if is_sparse(table):
            table = table.tocsc()
        weight = np.ones(n_rows) if weight is None else weight
        omega = weight / weight.sum()
        mean = np.concatenate([adjoint(table, omega), omega @ Y])
        matrix = MomentMatrix.of_rows(table, Y, mean, weight)
        refuse_far_from_one(matrix, table, Y, weight)
        rounding = EPS * matrix.S.diagonal()[:-1]
        return cls(matrix, n_rows, names, table.dtype, target.ndim == 1, rounding)

    # Sums ---------------------------------------------------------------------------------

    def __add__(self, other: Moments) -> Moments:
        """The rows of both."""
        if not isinstance(other, Moments):
            return NotImplemented
        self._refuse_unlike(other)
        matrix = self.matrix.joined(other.matrix)
        rounding = self.rounding + other.rounding + EPS * matrix.S.diagonal()[:-1]
        dtype = np.result_type(self.dtype, other.dtype)
        n_rows = self.n_rows + other.n_rows
        return replace(self, matrix=matrix, n_rows=n_rows, dtype=dtype, rounding=rounding)

    def __radd__(self, other: Any) -> Moments:
        """What `sum` starts with."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __sub__(self, other: Moments) -> Moments:
        """The rows of these without those of `other`, which must be among them.

        Raises
        ------
        ValueError
            If they cannot be, as there are more of them, or none would be left.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        self._refuse_unlike(other)
        n_rows, left = self.n_rows - other.n_rows, self.weight - other.weight
        if n_rows < 0 or left < -1e-9 * self.weight:
            raise ValueError(
                f"there are {other.n_rows} rows of weight {other.weight:g} to subtract from"
                f" {self.n_rows} of weight {self.weight:g}: they must be among them"
            )
        if not n_rows or left <= 1e-12 * self.weight:
            raise ValueError("no rows are left after the subtraction")
        matrix = self.matrix - other.matrix
        matrix = matrix.about(matrix.mean)
        rounding = self.rounding + other.rounding + EPS * self.matrix.S.diagonal()[:-1]
        return replace(self, matrix=matrix, n_rows=n_rows, rounding=rounding)

    def update(
        self, X: Any, y: Any, sample_weight: Any = None, feature_names: Sequence[str] | None = None
    ) -> Moments:
        """These and more rows, as new moments; parameters are those of `of`."""
        return self + type(self).of(X, y, sample_weight, feature_names)

    def times(self, factor: float) -> Moments:
        """The same rows with weights times a factor.

        Raises
        ------
        ValueError
            If the factor is not positive, or not finite.
        """
        if not (np.isfinite(factor) and factor > 0):
            raise ValueError(f"factor must be a positive number, got {factor!r}")
        S = self.matrix.S * factor
        return replace(self, matrix=replace(self.matrix, S=S), rounding=self.rounding * factor)

    def _refuse_unlike(self, other: Moments) -> None:
        if self.n_features != other.n_features:
            raise ValueError(
                f"moments of {self.n_features} and of {other.n_features} features do not add up:"
                " give X with the same columns in the same order"
            )
        if (self.n_targets, self.one_target) != (other.n_targets, other.one_target):
            raise ValueError(
                f"moments of y of the shapes {self._shape_of_y} and {other._shape_of_y} do not add"
                " up"
            )
        own, names = (
            None if one.feature_names is None else one.feature_names.tolist()
            for one in (self, other)
        )
        if own == names:
            return
        what = "with and without names of features"
        if own is not None and names is not None:
            j = next(j for j, pair in enumerate(zip(own, names, strict=True)) if len(set(pair)) > 1)
            what = f"whose feature {j} is {own[j]!r} and {names[j]!r}"
        raise ValueError(
            f"moments {what} do not add up: give X with the same columns in the same order"
        )

    @property
    def _shape_of_y(self) -> str:
        return "(n_rows,)" if self.one_target else f"(n_rows, {self.n_targets})"

    # What they are of ---------------------------------------------------------------------

    @property
    def weight(self) -> float:
        """Sum of the weights."""
        return self.matrix.weight

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.matrix.n_features

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return len(self.matrix.reference) - self.n_features

    @property
    def digits(self) -> Array:
        """See the class."""
        diagonal = self.matrix.S.diagonal()[:-1]
        share = np.divide(
            self.rounding, diagonal, out=np.full(len(diagonal), EPS), where=diagonal > 0
        )
        return np.clip(-np.log10(np.maximum(share, EPS)), 0.0, None)

    # Files --------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write them to one file, as a whole or not at all.

        Parameters
        ----------
        path : str or path-like
            An .npz file, which is replaced where it is there.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            If the file cannot be written.
        OSError
            If the disk fills while it is; an older file then stays as it was.
        """
        target, content = check_path(path), io.BytesIO()
        names = np.empty(0, dtype=str) if self.feature_names is None else self.feature_names
        np.savez(
            content,
            format=np.array(FORMAT),
            S=self.matrix.S,
            reference=self.matrix.reference,
            rounding=self.rounding,
            n_rows=np.array(self.n_rows),
            n_features=np.array(self.n_features),
            feature_names=names.astype(str),
            dtype=np.array(np.dtype(self.dtype).name),
            one_target=np.array(self.one_target),
        )
        write(target, content.getvalue())
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file holds no moments, or is damaged, or of another version.
        """
        source = Path(path)
        try:
            # Opened here, as NumPy leaves a file open that begins like an archive and is none.
            with source.open("rb") as content:
                file = np.load(content, allow_pickle=False)
                if isinstance(file, np.ndarray):
                    raise ValueError("it has a single array")
                return cls._of_arrays({name: file[name] for name in file.files})
        except FileNotFoundError:
            raise
        except UNREADABLE as error:
            raise ValueError(f"{str(source)!r} is no file of moments: {error}") from None

    @classmethod
    def _of_arrays(cls, held: dict[str, Any]) -> Self:
        if str(held.get("format")) != FORMAT:
            found = f"the format {str(held['format'])!r}" if "format" in held else "no format"
            raise ValueError(f"it has {found}, where this version reads {FORMAT!r}")
        if missing := [name for name in HELD if name not in held]:
            raise ValueError(f"it has no {missing[0]}")
        S, names = held["S"], held["feature_names"]
        p, n_rows = int(held["n_features"]), int(held["n_rows"])
        width, one_target = len(held["reference"]), bool(held["one_target"])
        wanted = {
            "S": (width + 1, width + 1),
            "reference": (width,),
            "rounding": (width,),
            "feature_names": (p,) if names.size else (0,),
        }
        for name, shape in wanted.items():
            if held[name].shape != shape:
                raise ValueError(f"its {name} has shape {held[name].shape}, where {shape} belongs")
            if name != "feature_names" and held[name].dtype != np.float64:
                raise ValueError(f"its {name} has {held[name].dtype}, where float64 belongs")
        n_targets, dtype = width - p, np.dtype(str(held["dtype"]))
        if p < 1 or n_targets < 1 or n_rows < 1 or (one_target and n_targets > 1):
            raise ValueError(f"it is of {n_rows} rows, {p} features and {n_targets} targets")
        if dtype not in FLOATS:
            raise ValueError(f"it is of {dtype}, where float32 or float64 belongs")
        if not all(np.isfinite(held[name]).all() for name in ("S", "reference", "rounding")):
            raise ValueError("it has NaN or infinity")
        if S[-1, -1] <= 0:
            raise ValueError(f"its rows have the weight {S[-1, -1]:g}")
        if not np.allclose(S, S.T, rtol=1e-8, atol=1e-8 * S.diagonal().max()):
            raise ValueError("its S is not symmetric")
        return cls(
            matrix=MomentMatrix(S, held["reference"], p),
            n_rows=n_rows,
            feature_names=names.astype(object) if names.size else None,
            dtype=dtype,
            one_target=one_target,
            rounding=held["rounding"],
        )


@cache
def taker_of_rows(name: str) -> type[BaseEstimator]:
    """A class that notes what columns are called, of the name by which errors are to call it."""
    return type(name, (BaseEstimator,), {})


def check_block(
    X: Any, y: Any, sample_weight: Any, feature_names: Sequence[str] | None, taken_by: str
) -> tuple[Any, Array, Array | None, NDArray[Any] | None]:
    """X, y and weights of a block as the engine reads them, and the names of its columns.

    `taken_by` is what an error says that the rows are for.
    """
    columns = taker_of_rows(taken_by)()
    with np.errstate(over="ignore", invalid="ignore"):
        table, target, _ = check_data(columns, X, y)
    names = getattr(columns, "feature_names_in_", None)
    if feature_names is not None:
        if len(feature_names) != table.shape[1]:
            raise ValueError(
                f"feature_names has {len(feature_names)} names for {table.shape[1]} columns"
            )
        names = np.array(feature_names, dtype=object)
    return table, target, check_weights(sample_weight, table), names


def refuse_far_from_one(matrix: MomentMatrix, X: Any, Y: Array, weight: Array) -> None:
    """Refuse columns whose squares leave the range of floating point, or come near its ends."""
    squares, p, rows = matrix.S.diagonal()[:-1], X.shape[1], weight > 0
    suspect = ~((squares >= SMALLEST_SQUARES) & (squares <= LARGEST_SQUARES))
    if is_sparse(X):  # columns without entries may be many
        suspect[:p] &= np.diff(X.indptr) > 0
    for j in np.flatnonzero(suspect).tolist():
        column: Any
        name, column = (f"column {j} of X", X[:, [j]]) if j < p else ("y", Y[:, j - p])
        values = (column.toarray() if is_sparse(column) else column)[rows]
        if np.ptp(values) > 0.0:  # of a constant column nothing is left, and nothing lost
            raise ValueError(
                f"{name} has values up to {np.abs(values).max():.2g}, whose squares leave the range"
                " of floating point, or nearly: scale it"
            )
