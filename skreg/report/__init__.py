"""The self-contained page about a comparison of models: `skreg.report`."""

from .making import report

__all__ = ["report"]
