"""What `python -m skreg` shows of a comparison: a table as text, and pictures."""

from __future__ import annotations

import io
import math
import textwrap
from pathlib import Path

import numpy as np

from ..files import write
from ..plotting import CVCurveDisplay, RegularizationPathDisplay
from .comparison import Comparison, Row

WIDTH = 100  # of the text, in characters
NAMED = 12  # features of a model that the text names
PICTURES = ("skreg_path.png", "skreg_cv.png")


def format_comparison(result: Comparison) -> str:
    """Return the comparison as text.

    Parameters
    ----------
    result : Comparison
        What to show.

    Returns
    -------
    str
        A table with one line a model, and how to read it.
    """
    n_features = len(result.feature_names)
    cells = [("model", "alpha", "alpha_1se", "non-zero", "CV error ± s.e.", "test R²", "time")]
    for row in result.rows:
        error, spread = row.cv.mean[row.index], row.cv.standard_error[row.index]
        cells.append(
            (
                row.name,
                f"{row.cv.alphas[row.index]:.4g}",
                f"{row.cv.alpha_1se:.4g}",
                f"{row.path.n_nonzero[row.index]} of {n_features}",
                _with_error(error, spread),
                f"{row.test_r2:.3f}",
                f"{row.seconds:.2f} s",
            )
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        result.title,
        f"{result.n_train} rows to fit by {result.n_folds}-fold cross-validation, "
        f"{result.n_test} rows held out for the test R², {n_features} features",
        "",
    ]
    for name, *numbers in cells:
        fields = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *fields]))
    chosen = {
        "min": "that of the smallest CV error; alpha_1se: the largest within one s.e. of it",
        "1se": "alpha_1se, the largest within one s.e. of the smallest CV error",
    }
    lines += [
        "",
        f"alpha: {chosen[result.rule]}.",
        "Features and target are divided by their standard deviations before a penalty is applied.",
        "CV error: mean squared error of the rows that a fold holds out, ± its standard error.",
        _kept(result.rows[0], result.feature_names),
        *(note for row in result.rows if (note := _edge(row))),
    ]
    return "\n".join(lines)


def _with_error(value: float, error: float) -> str:
    """Both rounded to the second digit of the error."""
    if not 1e-4 < error < 1e7:  # zero and NaN too
        return f"{value:.4g} ± {error:.2g}"
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def _kept(row: Row, names: np.ndarray) -> str:
    """The features of a sparse model, largest coefficient first."""
    size = np.abs(row.path.coefs[:, row.index])
    order = np.argsort(-size, kind="stable")[: np.count_nonzero(size)]
    if not order.size:
        return f"{row.name} keeps no feature: it predicts the mean."
    more = f" and {order.size - NAMED} more" if order.size > NAMED else ""
    text = f"{row.name} keeps, largest first: {', '.join(names[order[:NAMED]])}{more}."
    return textwrap.fill(text, WIDTH)


def _edge(row: Row) -> str | None:
    if row.cv.edge is None or not row.path.n_nonzero[row.cv.index_min]:
        return None  # inside the grid, or at its start because nothing helps
    return (
        f"note: {row.name} does best at the {row.cv.edge} alpha tried; the best may lie beyond it."
    )


def save_pictures(result: Comparison, folder: Path) -> list[Path]:
    """Save the Lasso's coefficient path and cross-validation curve as PNG files.

    Parameters
    ----------
    result : Comparison
        What to draw.
    folder : Path
        An existing folder.

    Returns
    -------
    list of Path
        The files written, skreg_path.png and skreg_cv.png.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    from matplotlib.figure import Figure

    row = result.rows[0]
    alpha = float(row.cv.alphas[row.index])
    path = RegularizationPathDisplay(
        row.path,
        alpha_min=row.cv.alpha_min,
        alpha_1se=row.cv.alpha_1se,
        feature_names=result.feature_names,
        alpha=alpha,
    )
    curve = CVCurveDisplay(row.cv, path=row.path, alpha=alpha)
    drawn: dict[Path, bytes] = {}
    displays: list[RegularizationPathDisplay | CVCurveDisplay] = [path, curve]
    for name, display in zip(PICTURES, displays, strict=True):
        # A figure of our own: pyplot would start a window system where there is one.
        figure = Figure(figsize=(8, 5), layout="constrained")
        figure.suptitle(f"{row.name}, {result.title}")
        ax = figure.add_subplot()
        display.plot(ax=ax)
        if display is path:
            ax.set_ylabel("coefficient (features and target standardised)")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=150)
        drawn[folder / name] = buffer.getvalue()
    for file, picture in drawn.items():
        write(file, picture)
    return list(drawn)
