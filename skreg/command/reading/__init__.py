"""A user's file as a table: its cells, what each column is, and what to be warned of."""

from .in_chunks import TableInChunks, read_in_chunks
from .options import ReadingOptions
from .parquet import is_parquet
from .read import read_table

__all__ = ["ReadingOptions", "TableInChunks", "is_parquet", "read_in_chunks", "read_table"]
