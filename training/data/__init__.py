"""Labelled pictures of any kind as one typed value: train, test, label names and their origin."""

from training.data.images import DataError, DataSet, LabelledImages
from training.data.load import load_data
from training.data.named import load_mnist

__all__ = ["DataError", "DataSet", "LabelledImages", "load_data", "load_mnist"]
