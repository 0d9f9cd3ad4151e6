"""The engine of the networks: layers, losses on batches, steps, epochs. It knows no estimator."""
