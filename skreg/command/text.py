"""What `python -m skreg` shows of a comparison: a table as text, and pictures."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..files import write
from ..plotting import CVCurveDisplay, RegularizationPathDisplay
from ..plotting.naming import shorten
from .class_comparison import ClassComparison, ClassRow
from .comparison import Comparison, Row

WIDTH = 100  # of the text, in characters
NAMED = 12  # features of a model, and classes, that the text names
LONGEST_CLASS = 20  # characters of a class in the text
MOST_PANELS = 6  # classes with a panel each, below one another
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
    lines = [
        result.title,
        f"{result.n_train} rows to fit by {result.n_folds}-fold cross-validation, "
        f"{result.n_test} rows held out for the test R², {n_features} features",
        "",
        *_aligned(cells),
        "",
    ]
    chosen = {
        "min": "that of the smallest CV error; alpha_1se: the largest within one s.e. of it",
        "1se": "alpha_1se, the largest within one s.e. of the smallest CV error",
    }
    lines += [
        f"alpha: {chosen[result.rule]}.",
        "Features and target are divided by their standard deviations before a penalty is applied.",
        "CV error: mean squared error of the rows that a fold holds out, ± its standard error.",
        _kept(result.rows[0], result.feature_names),
        *(note for row in result.rows if (note := _edge(row))),
    ]
    return "\n".join(lines)


def format_classes(result: ClassComparison) -> str:
    """Return the comparison of models of classes as text.

    Parameters
    ----------
    result : ClassComparison
        What to show.

    Returns
    -------
    str
        A table with one line a model, and how to read it.
    """
    n_features = len(result.feature_names)
    heads = ("model", "alpha", "alpha_1se", "non-zero", "CV log-loss ± s.e.")
    cells = [(*heads, "test log-loss", "test accuracy", "time")]
    for row in result.rows:
        of_path = ("-", "-", "-")
        if row.path is not None:
            kept = np.count_nonzero(np.atleast_3d(row.path.coefs.T)[row.index].any(axis=-1))
            alphas = f"{row.cv.alphas[row.index]:.4g}", f"{row.cv.alpha_1se:.4g}"
            of_path = (*alphas, f"{kept} of {n_features}")
        error, spread = row.cv.mean[row.index], row.cv.standard_error[row.index]
        scores = f"{row.test_log_loss:.4f}", f"{row.test_accuracy:.3f}"
        cells.append(
            (row.name, *of_path, _with_error(error, spread), *scores, f"{row.seconds:.2f} s")
        )
    sparse, dense = result.rows[:2]
    named = [shorten(str(label), LONGEST_CLASS) for label in result.classes[:NAMED]]
    more = f" and {len(result.classes) - NAMED} more" if len(result.classes) > NAMED else ""
    chosen = {
        "min": "that of the smallest CV log-loss",
        "1se": "the largest within one s.e. of the smallest CV log-loss",
    }
    how = f"with L1 {chosen[sparse.rule]}, with L2 {chosen[dense.rule]}"
    if sparse.rule == dense.rule:
        how = chosen[sparse.rule]
    lines = [
        result.title,
        f"{result.n_train} rows to fit by {result.n_folds}-fold cross-validation, "
        f"{result.n_test} rows held out for the test, {n_features} features",
        textwrap.fill(f"{len(result.classes)} classes: {', '.join(named)}{more}", WIDTH),
        "",
        *_aligned(cells),
        "",
        textwrap.fill(f"alpha: {how}.", WIDTH, break_on_hyphens=False),
        "Features are divided by their standard deviations before a penalty is applied.",
        "CV log-loss: of the rows that a fold holds out, ± its standard error.",
        f"To say {result.largest!r} of every test row has an accuracy of {result.share:.3f}.",
        _kept(sparse, result.feature_names),
        *(note for row in result.rows if row.path is not None and (note := _edge(row))),
    ]
    return "\n".join(lines)


def _aligned(cells: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines of a table: names on the left, numbers below one another."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for name, *numbers in cells:
        fields = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *fields]))
    return lines


def _with_error(value: float, error: float) -> str:
    """Both rounded to the second digit of the error."""
    if not 1e-4 < error < 1e7:  # zero and NaN too
        return f"{value:.4g} ± {error:.2g}"
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def _kept(row: Row | ClassRow, names: np.ndarray) -> str:
    """The features of a sparse model, largest coefficient first, in any class."""
    assert row.path is not None
    size = np.abs(row.path.coefs[..., row.index]).reshape(-1, len(names)).max(axis=0)
    order = np.argsort(-size, kind="stable")[: np.count_nonzero(size)]
    if not order.size:
        says = "the mean" if isinstance(row, Row) else "the share of each class"
        return f"{row.name} keeps no feature: it predicts {says}."
    more = f" and {order.size - NAMED} more" if order.size > NAMED else ""
    text = f"{row.name} keeps, largest first: {', '.join(names[order[:NAMED]])}{more}."
    return textwrap.fill(text, WIDTH)


def _edge(row: Row | ClassRow) -> str | None:
    assert row.path is not None
    if row.cv.edge is None or not row.path.n_nonzero[..., row.cv.index_min].any():
        return None  # inside the grid, or at its start because nothing helps
    return (
        f"note: {row.name} does best at the {row.cv.edge} alpha tried; the best may lie beyond it."
    )


def save_pictures(result: Comparison | ClassComparison, folder: Path) -> list[Path]:
    """Save the coefficient path with L1 and its cross-validation curve as PNG files.

    Three classes or more have a panel each; of many the largest alone is drawn.

    Parameters
    ----------
    result : Comparison or ClassComparison
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
    assert row.path is not None
    alpha = float(row.cv.alphas[row.index])
    n_panels, target, unit = 1, None, "features and target standardised"
    if isinstance(result, ClassComparison):
        unit = "log-odds, features standardised"
        n_panels = len(result.classes) if len(result.classes) > 2 else 1
        if n_panels > MOST_PANELS:
            n_panels, target = 1, [str(label) for label in result.classes].index(result.largest)
    path = RegularizationPathDisplay(
        row.path,
        alpha_min=row.cv.alpha_min,
        alpha_1se=row.cv.alpha_1se,
        feature_names=result.feature_names,
        alpha=alpha,
        target=target,
    )
    curve = CVCurveDisplay(row.cv, path=row.path, alpha=alpha)
    drawn: dict[Path, bytes] = {}
    displays: list[RegularizationPathDisplay | CVCurveDisplay] = [path, curve]
    for name, display, n_axes in zip(PICTURES, displays, (n_panels, 1), strict=True):
        # A figure of our own: pyplot would start a window system where there is one.
        figure = Figure(figsize=(8, 5 * (n_axes + 1) / 2), layout="constrained")
        figure.suptitle(f"{row.name}, {result.title}")
        axes = figure.subplots(n_axes, squeeze=False, sharex=True, sharey=True).ravel().tolist()
        if isinstance(display, CVCurveDisplay):
            display.plot(ax=axes[0])
        else:
            display.plot(ax=axes)
            for ax in axes:
                ax.set_ylabel(f"coefficient{chr(10) if n_axes > 1 else ' '}({unit})")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=150)
        drawn[folder / name] = buffer.getvalue()
    for file, picture in drawn.items():
        write(file, picture)
    return list(drawn)
