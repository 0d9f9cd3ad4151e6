"""`python -m skreg`: models compared on diabetes or on one's own table, as text or as a page."""

from .run import main

__all__ = ["main"]
