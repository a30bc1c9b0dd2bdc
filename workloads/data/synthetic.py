"""Made-up features and labels, for measuring speed and memory."""

from __future__ import annotations

import numpy as np

from workloads.data.labelled import LabelledData
from workloads.data.registry import datasets

EXAMPLES, TESTS = 2048, 256
"""Enough for a step to be timed; nothing is to be learnt from them."""


@datasets.register("synthetic")
def synthetic_features(inputs: int, classes: int) -> LabelledData:
    """Random features, half of them zero as after a ReLU, with random labels.

    They have the shape of real ones; an accuracy on them means nothing.
    """
    random = np.random.default_rng(0)
    features = random.uniform(-1, 1, size=(EXAMPLES + TESTS, inputs)).astype(np.float32)
    np.maximum(features, 0, out=features)
    labels = random.integers(0, classes, size=EXAMPLES + TESTS)
    train, test = slice(EXAMPLES), slice(EXAMPLES, None)
    return LabelledData(features[train], labels[train], features[test], labels[test])
