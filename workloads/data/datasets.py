"""The data that a recipe names."""

from __future__ import annotations

import numpy as np

from workloads.data.fashion import load_fashion_mnist
from workloads.data.images import ImageData
from workloads.data.mnist import load_mnist
from workloads.training.recipe import Recipe

# Enough for a step to be timed; nothing is to be learnt from them.
SYNTHETIC_EXAMPLES, SYNTHETIC_TESTS = 2048, 256


def load_data(recipe: Recipe) -> ImageData:
    """The images and labels of the recipe; a `DataUnavailableError` where they cannot be had."""
    if recipe.data == "synthetic":
        return synthetic_features(recipe.inputs, recipe.layers[-1].outputs)
    return load_fashion_mnist() if recipe.data == "fashion-mnist" else load_mnist()


def synthetic_features(inputs: int, classes: int) -> ImageData:
    """Random features, half of them zero as after a ReLU, with random labels.

    They have the shape of real ones, for measuring speed and memory; an accuracy on them means nothing.
    """
    random = np.random.default_rng(0)
    count = SYNTHETIC_EXAMPLES + SYNTHETIC_TESTS
    features = random.uniform(-1, 1, size=(count, inputs)).astype(np.float32)
    np.maximum(features, 0, out=features)
    labels = random.integers(0, classes, size=count)
    train, test = slice(SYNTHETIC_EXAMPLES), slice(SYNTHETIC_EXAMPLES, None)
    return ImageData(features[train], labels[train], features[test], labels[test])
