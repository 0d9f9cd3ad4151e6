"""What is told of a training while it runs: a progress line, hooks, scikit-learn's protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

try:  # since scikit-learn 1.9
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]  # only one of the two is made
        """Stands in where scikit-learn has no callbacks."""


__all__ = ["CallbackSupportMixin", "Reporter"]


class Reporter:
    """Calls every hook at its time.

    Parameters
    ----------
    estimator : estimator
        It has `callbacks`, `verbose`, `max_iter`, `history_` and `n_iter_`.
    given : tuple of X, y and sample_weight
        The training data, for scikit-learn's callbacks.
    reconstruct : callable
        Gives the attributes that make a copy of the estimator able to predict.
    n_epochs : int
        The largest number of epochs.
    hooks : bool
        Whether hooks are called, and not only a line printed.
    """

    def __init__(
        self,
        estimator: Any,
        given: tuple[Any, Any, Any],
        reconstruct: Callable[[], dict[str, Any]],
        n_epochs: int,
        hooks: bool,
    ) -> None:
        self.estimator, self.n_epochs, self.hooks = estimator, n_epochs, hooks
        X, y, weight = given
        metadata = None if weight is None else {"sample_weight": weight}
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._data["reconstruction_attributes"] = reconstruct
        self._context: Any = None
        self._epoch_context: Any = None
        self._seconds = 0.0

    def begin(self) -> None:
        """Before the first epoch."""
        if not self.hooks:
            return
        self._call("on_fit_begin")
        if hasattr(self.estimator, "_init_callback_context"):
            self._context = self.estimator._init_callback_context(max_subtasks=self.n_epochs)
            self._context.call_on_fit_task_begin(estimator=self.estimator, **self._data)
            self._begin_epoch()

    def _begin_epoch(self) -> None:
        if self._context is not None and self.estimator.n_iter_ < self.n_epochs:
            self._epoch_context = self._context.subcontext(task_name="epoch")
            self._epoch_context.call_on_fit_task_begin(estimator=self.estimator, **self._data)

    def after_epoch(self) -> bool:
        """After an epoch; whether one of the hooks, if they are called, wants to stop."""
        estimator = self.estimator
        if estimator.verbose:
            print(self._lines())
        if not self.hooks:
            return False
        results = self._call("on_epoch_end", estimator.n_iter_, estimator.history_)
        stop = any(isinstance(result, bool | np.bool_) and bool(result) for result in results)
        if self._context is not None:
            stop |= bool(
                self._epoch_context.call_on_fit_task_end(estimator=estimator, **self._data)
            )
            self._epoch_context = None
            if not stop:
                self._begin_epoch()
        return stop

    def end(self, status: str) -> None:
        """After the last epoch; `status` is why it was the last one."""
        if self.estimator.verbose and status == "converged" and self.estimator.solver != "lbfgs":
            print(self._no_progress(), "Stopping.")
        self._call("on_fit_end")
        if self._context is not None:
            if self._epoch_context is not None:  # an epoch that did not take place
                self._epoch_context.call_on_fit_task_end(estimator=self.estimator)
            self._context.call_on_fit_task_end(estimator=self.estimator, **self._data)

    def _call(self, hook: str, *arguments: Any) -> list[Any]:
        results = []
        for callback in self.estimator.callbacks or ():
            function = getattr(callback, hook, None)
            if function:
                results.append(function(self.estimator, *arguments))
        return results

    def _no_progress(self) -> str:
        estimator = self.estimator
        judge = "Validation score" if estimator.early_stopping else "Training loss"
        return (
            f"{judge} did not improve more than tol={estimator.tol:f} for"
            f" {estimator.n_iter_no_change} consecutive epochs."
        )

    def _lines(self) -> str:
        """What scikit-learn prints of an epoch, and more.

        Its loss is the objective. Of a limited number of epochs the time is told that is left if
        all are run.
        """
        history, n_done = self.estimator.history_, self.estimator.n_iter_
        last = history.last
        self._seconds += last("seconds")
        lines = []
        rates = history.column("learning_rate")[-2:]
        if self.estimator.learning_rate == "adaptive" and n_done > 1 and rates[1] < rates[0]:
            lines.append(f"{self._no_progress()} Setting learning rate to {rates[1]:f}")
        number = n_done if self.hooks else history.n_epochs
        parts = [f"Iteration {number}, loss = {last('objective'):.8f}"]
        parts.append(f"without penalty and noise {last('loss'):.6f}")
        validated = last("validation_loss") == last("validation_loss")  # not NaN
        if validated:
            parts.append(f"validation loss {last('validation_loss'):.6f}")
        if self.hooks:
            left = self._seconds / n_done * (self.n_epochs - n_done)
            parts.append(f"{left:.1f} s left")
        lines.append(", ".join(parts))
        if validated:
            lines.append(f"Validation score: {last('validation_score'):f}")
        return "\n".join(lines)
