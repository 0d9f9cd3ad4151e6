"""How a network was trained, epoch by epoch."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier

from . import fitted
from .history import PANELS, columns, fit_note, panels_of
from .style import LINESTYLES, Canvas, Display, Kwargs, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

Array = NDArray[np.float64]

_LOSSES = {
    "squared_error": "half squared error (y²)",
    "absolute_error": "absolute error (y)",
    "huber": "Huber loss (y²)",
    "quantile": "quantile loss (y)",
    "poisson": "Poisson loss",
}
_LOG_RANGE = 30.0  # largest loss over smallest, from which the scale is logarithmic


@dataclass(eq=False, repr=False)
class TrainingHistoryDisplay(Display):
    """Training and validation loss of a network; its validation score and learning rate.

    The training loss is the clean one, as a prediction has it, so that it compares with the
    validation loss. The epoch whose weights early stopping put back is marked. Where there is a
    validation loss, a note says what the numbers show: over-fitting where it rose again by more
    than 5% while the training loss fell, or is more than twice the training loss in the end;
    under-fitting where it still fell at the end, by more than 2% in the last tenth of the epochs.

    Build it with :meth:`from_estimator`, which also draws.

    Parameters
    ----------
    history : mapping of str to array-like of shape (n_epochs,)
        "loss" (of training; "objective", the loss with the penalty, stands in for it), and where
        known "validation_loss", "validation_score" and "learning_rate". NaN is not drawn.
    restored_epoch : int, default=None
        The epoch, counted from 1, whose weights the model has; 0 is the start.
    loss_name, score_name : str, default="loss" and "score"
        What they are, with their units.
    epoch_name : str, default="epoch"

    Attributes
    ----------
    ax_ : matplotlib Axes
        The first panel.
    axes_ : list of Axes
        One a panel.
    figure_ : matplotlib Figure
    training_line_, validation_line_, score_line_, learning_rate_line_ : Line2D or None
    restored_lines_ : list of Line2D
        Vertical lines at the restored epoch, one a panel.
    note_ : Text or None
        On over- or under-fitting.
    legend_ : Legend or None

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skreg import MLPClassifier, TrainingHistoryDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MLPClassifier(early_stopping=True, max_iter=50).fit(X / 16, y)  # doctest: +SKIP
    >>> display = TrainingHistoryDisplay.from_estimator(model)  # doctest: +SKIP
    """

    history: Mapping[str, ArrayLike]
    _: KW_ONLY
    restored_epoch: int | None = None
    loss_name: str = "loss"
    score_name: str = "score"
    epoch_name: str = "epoch"

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Axes | Sequence[Axes] | None = None, **plot_kwargs: Any
    ) -> TrainingHistoryDisplay:
        """Draw how a fitted MLPClassifier or MLPRegressor was trained.

        Parameters
        ----------
        estimator : fitted MLPClassifier or MLPRegressor
            Its `history_` and `restored_epoch_` are read. scikit-learn's keep less, and what they
            have is drawn: `loss_curve_`, penalty included, and `validation_scores_`.
        ax, **plot_kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        AttributeError
            The estimator keeps no history: it is not fitted, or no network.
        """
        estimator = fitted.unwrapped(estimator)
        restored = getattr(estimator, "restored_epoch_", None)
        if not hasattr(estimator, "history_") and hasattr(estimator, "loss_curve_"):
            history = {"objective": estimator.loss_curve_}
            scores = getattr(estimator, "validation_scores_", None)
            if scores is not None:
                history["validation_score"] = scores
                restored = int(np.argmax(scores)) + 1
        else:
            history = fitted.of_network(estimator, "history_", cls.__name__)
            if not isinstance(history, Mapping):
                name = type(estimator).__name__
                raise AttributeError(f"{cls.__name__}: history_ of {name} is no mapping of arrays")
        classifier = is_classifier(estimator)
        loss, scoring = getattr(estimator, "loss", None), getattr(estimator, "scoring", None)
        if scoring is None:
            scoring = "accuracy" if classifier else "R²"
        display = cls(
            history,
            restored_epoch=restored,
            loss_name="log-loss (nats)" if classifier else _LOSSES.get(str(loss), "loss"),
            score_name=_score_name(scoring),
            epoch_name="iteration" if getattr(estimator, "solver", "") == "lbfgs" else "epoch",
        )
        return display.plot(ax, **plot_kwargs)

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        panels: Sequence[str] | Literal["all"] = ("loss",),
        loss_scale: Literal["auto", "linear", "log"] = "auto",
        training_kwargs: Kwargs = None,
        validation_kwargs: Kwargs = None,
        score_kwargs: Kwargs = None,
        learning_rate_kwargs: Kwargs = None,
        restored_kwargs: Kwargs = None,
        note_kwargs: Kwargs = None,
        legend_kwargs: Kwargs = None,
    ) -> TrainingHistoryDisplay:
        """Draw the history.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, default=None
            Where to draw, one for each panel. None makes a new figure with the panels below one
            another.
        panels : sequence of {"loss", "score", "learning_rate"} or "all", default=("loss",)
            What to draw; "all" is every panel that there are numbers for.
        loss_scale : {"auto", "linear", "log"}, default="auto"
            Scale of the losses. "auto" is logarithmic where they are positive and the largest is
            more than 30 times the smallest.
        training_kwargs, validation_kwargs, score_kwargs, learning_rate_kwargs, restored_kwargs : \
dict, default=None
            Overrides for the lines (Line2D).
        note_kwargs : dict, default=None
            Overrides for the note (Text).
        legend_kwargs : dict, default=None
            Overrides for the legend.

        Returns
        -------
        TrainingHistoryDisplay
            Itself, with the artists as attributes.

        Raises
        ------
        ImportError
            Matplotlib is not installed.
        ValueError
            The arrays differ in length or have no numbers, a panel is unknown or has none, the
            scale is unknown, there are not as many axes as panels, or the restored epoch is not one
            of the history.
        """
        data = columns(self.history)
        n_epochs = len(next(iter(data.values())))
        chosen = panels_of(panels, data)
        restored = self.restored_epoch
        if restored is not None and not 0 <= restored <= n_epochs:
            raise ValueError(f"restored_epoch={restored} is none of the {n_epochs} epochs")
        if loss_scale not in ("auto", "linear", "log"):
            raise ValueError(f'loss_scale={loss_scale!r} is unknown: "auto", "linear" or "log"')

        canvases = self._canvases(ax, len(chosen), "panels", sharex=True)
        from matplotlib.ticker import MaxNLocator

        self.axes_ = [canvas.ax for canvas in canvases]
        self.training_line_ = self.validation_line_ = None
        self.score_line_ = self.learning_rate_line_ = None
        self.note_: Text | None = None
        self.legend_: Legend | None = None
        self.restored_lines_: list[Line2D] = []
        for canvas, panel in zip(canvases, chosen, strict=True):
            axes, ink = canvas.ax, canvas.ink
            shown = [data[name] for name in PANELS[panel] if name in data]
            low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
            dashed = {"color": canvas.color(1), "linestyle": LINESTYLES[1]}
            if panel == "loss":
                ylabel, color = self.loss_name, canvas.color(0)
                self.training_line_ = _line(canvas, shown[0], training_kwargs, color=color)
                if len(shown) > 1:
                    self.validation_line_ = _line(canvas, shown[1], validation_kwargs, **dashed)
                if loss_scale == "log" or (loss_scale == "auto" and high > _LOG_RANGE * low > 0):
                    axes.set_yscale("log")
            elif panel == "score":
                ylabel = f"validation {self.score_name}"
                self.score_line_ = _line(canvas, shown[0], score_kwargs, **dashed)
            else:
                ylabel, low = "learning rate", min(low, 0.0)
                self.learning_rate_line_ = _line(canvas, shown[0], learning_rate_kwargs, color=ink)
            if restored is not None:
                style: dict[str, Any] = {"color": ink, "linewidth": 0.8, "linestyle": ":"}
                mark = styled(axes.axvline(restored, zorder=1.5), restored_kwargs, **style)
                self.restored_lines_.append(mark)
            last = ax is not None or canvas is canvases[-1]
            canvas.frame(self.epoch_name if last else "", ylabel)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            canvas.limit_x(1 if restored is None else min(1, restored), n_epochs)
            n_lines = 0
            if panel == "loss":
                n_lines = self._explain(canvas, data, note_kwargs, legend_kwargs)
            share = min(0.45, canvas.legend_share(n_lines))
            canvas.limit_y(low, high, share)
            for mark in self.restored_lines_[-1:]:
                mark.set_ydata([0, 1 - share])
        return self

    def _explain(
        self, canvas: Canvas, data: dict[str, Array], note_kwargs: Kwargs, legend_kwargs: Kwargs
    ) -> int:
        """Write the legend of the losses, with the note as its title; the lines that they take."""
        handles = {"training" if "loss" in data else "training, with penalty": self.training_line_}
        note = ""
        if self.validation_line_ is not None:
            handles["validation"] = self.validation_line_
            if "loss" in data:
                losses = data["loss"], data["validation_loss"]
                note = fit_note(*losses, self.restored_epoch, self.epoch_name)
        if self.restored_lines_:
            name = f"{self.epoch_name} {self.restored_epoch} restored"
            handles[name if self.restored_epoch else "start restored"] = self.restored_lines_[0]
        if len(handles) == 1 and "loss" in data:
            return 0
        labels, wrapped = list(handles), textwrap.wrap(note, max(canvas.letters, 20))
        options: dict[str, Any] = {"ncols": canvas.legend_columns(labels)}
        n_lines = len(wrapped) - (-len(handles) // options["ncols"])
        if wrapped:
            options |= {"title": "\n".join(wrapped), "title_fontsize": canvas.size}
            options["alignment"] = "left"
        self.legend_ = canvas.legend(list(handles.values()), labels, legend_kwargs, **options)
        if wrapped:
            self.note_ = styled(self.legend_.get_title(), note_kwargs, color=canvas.ink)
        return n_lines


def _score_name(scoring: Any) -> str:
    """Name a score; a function has the name that it was given."""
    if isinstance(scoring, str):
        return "negative loss" if scoring == "loss" else scoring.replace("_", " ")
    return "score"


def _line(canvas: Canvas, values: Array, overrides: Kwargs, **style: Any) -> Line2D:
    # A single epoch makes no line.
    dot = {"marker": "o" if np.isfinite(values).sum() == 1 else "", "markersize": 4}
    xs = np.arange(1, len(values) + 1)
    return canvas.line((xs, values), overrides, linewidth=1.5, zorder=2, **dot, **style)
