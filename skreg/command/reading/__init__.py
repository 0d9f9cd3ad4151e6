"""A user's file as a table: its cells, what each column is, and what to be warned of."""

from .options import ReadingOptions, add_options, reading_options
from .read import read_table

__all__ = ["ReadingOptions", "add_options", "read_table", "reading_options"]
