"""Multilayer perceptrons with every common way to regularise them."""

from .classifier import MLPClassifier
from .engine.regularizers import WeightPenalty
from .regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "WeightPenalty"]
