"""Readers of rows that come block by block."""
