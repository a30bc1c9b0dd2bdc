"""Gradients of a model against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from workloads.training.models.model import Classifier, cross_entropy

# Central differences in float64 of a loss near 1: rounding of 1e-16 over a step of 1e-6, and curvature.
STEP, TOLERANCE = 1e-6, 1e-7


def assert_gradients_are_slopes(model: Classifier, *, n_in: int, classes: int, batch: int = 6) -> None:
    """Every entry of every gradient is the slope of the loss, and no weight array is without effect."""
    random = np.random.default_rng(7)
    x, labels = random.normal(size=(n_in, batch)), random.integers(0, classes, size=batch)
    loss, gradients = model.loss_and_gradients(x, labels)
    assert loss == pytest.approx(cross_entropy(model.logits(x), labels)[0])
    for weights, gradient in zip(model.weights, gradients, strict=True):
        assert gradient.shape == weights.shape
        for place in np.ndindex(weights.shape):
            middle = weights[place]
            weights[place] = middle + STEP
            above, _ = cross_entropy(model.logits(x), labels)
            weights[place] = middle - STEP
            below, _ = cross_entropy(model.logits(x), labels)
            weights[place] = middle
            assert gradient[place] == pytest.approx((above - below) / (2 * STEP), abs=TOLERANCE)
    assert all(np.abs(gradient).max() > 1e-3 for gradient in gradients)
