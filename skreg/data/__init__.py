"""X as solvers see it: products with its rows, its centre and scale."""
