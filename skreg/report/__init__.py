"""The self-contained page about a comparison of models: `skreg.report`."""

from .function import report

__all__ = ["report"]
