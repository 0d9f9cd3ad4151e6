"""A user's file as a table: its cells, what each column is, and what to be warned of."""

from .options import ReadingOptions
from .read import read_table

__all__ = ["ReadingOptions", "read_table"]
