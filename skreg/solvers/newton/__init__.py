"""Newton's method for smooth losses of one linear predictor, over the quadratic kernels."""
