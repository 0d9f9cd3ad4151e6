"""Cross-validation: folds, their errors along a path, and the choice of an alpha."""
