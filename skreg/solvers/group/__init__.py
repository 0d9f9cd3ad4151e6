"""Solvers of the squared error whose coefficients enter by rows, one row a feature."""
