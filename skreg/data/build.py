"""X of the user as a design: the one place that looks at how it is stored."""

from __future__ import annotations

from typing import Any

from .dense import DenseDesign
from .design import Design
from .products import Array, is_sparse
from .sparse import SparseDesign


def design_of(
    X: Any,
    sample_weight: Array | None = None,
    *,
    center: bool = True,
    standardize: bool = False,
    few_products: bool = False,
) -> Design:
    """The design of X of shape (n_samples, n_features), dense or sparse, float32 or float64.

    The options are those of `Design.build`.
    """
    kind = SparseDesign if is_sparse(X) else DenseDesign
    return kind.build(
        X,
        sample_weight,
        center=center,
        standardize=standardize,
        few_products=few_products,
    )
