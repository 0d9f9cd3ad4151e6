"""Multilayer perceptrons with every common way to regularise them."""

from .classifier import MLPClassifier
from .regressor import MLPRegressor
from .regularizers import WeightPenalty

__all__ = ["MLPClassifier", "MLPRegressor", "WeightPenalty"]
