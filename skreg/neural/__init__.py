"""Multilayer perceptrons and convolutional networks with every common way to regularise them."""

from .classifier import MLPClassifier
from .convolutional import ConvClassifier, ConvRegressor
from .engine.regularizers import WeightPenalty
from .regressor import MLPRegressor

__all__ = ["ConvClassifier", "ConvRegressor", "MLPClassifier", "MLPRegressor", "WeightPenalty"]
