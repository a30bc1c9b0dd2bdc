"""A small data set in the form of MNIST, and a recipe for it: training takes a moment."""

from __future__ import annotations

from typing import Any

import numpy as np

from workloads import LabelledData, Recipe, parse_recipe

SIDE = 6
CLASSES = 4


def patches(images: int = 600, seed: int = 5) -> LabelledData:
    """Images of noise, with a bright square in one of four corners that gives the class."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, size=images)
    pixels = random.random((images, SIDE, SIDE), dtype=np.float32) * np.float32(0.6)
    for image, label in zip(pixels, labels, strict=True):
        row, column = divmod(int(label), 2)
        image[row * 3 : row * 3 + 3, column * 3 : column * 3 + 3] += np.float32(0.4)
    flat = pixels.reshape(images, -1)
    half = images // 2
    return LabelledData(flat[:half], labels[:half], flat[half:], labels[half:])


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "name": "tiny",
        "seed": 11,
        "inputs": SIDE * SIDE,
        "layers": [
            {"family": "csc", "outputs": 12, "fan_in": 4},
            {"family": "clos", "outputs": 8, "ingress": 3, "middle": 2, "egress": 4},
            {"family": "dense", "outputs": CLASSES},
        ],
        "epochs": 30,
        "batch": 20,
        "rate": {"peak": 0.01},
    }
    return parse_recipe(values | changes)


def dense_layers() -> list[dict[str, Any]]:
    return [{"family": "dense", "outputs": 16}, {"family": "dense", "outputs": CLASSES}]
