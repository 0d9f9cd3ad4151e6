"""The one engine: coefficients along a path of alphas, and what such a path is."""
