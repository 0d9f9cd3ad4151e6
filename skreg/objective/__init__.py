"""What a fit minimises: losses on the linear predictor, and penalties on the coefficients."""
