"""How often a network names the right class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal
from workloads.topology.integer_model import AnyIntegerNetwork
from workloads.training.model import CHUNK


def evaluate(network: AnyIntegerNetwork, images: NDArray[Any], labels: NDArray[Any]) -> float:
    """The share, in [0, 1], of images (n, n_in) of values in [0, 1] whose class equals labels (n,)."""
    if len(images) != len(labels) or not len(labels):
        raise Refusal(
            f"labels has {len(labels)} entries, allowed are one for each of the {len(images)} images, and "
            "at least one"
        )
    right = sum(
        int(np.sum(network.classify(images[start : start + CHUNK]) == labels[start : start + CHUNK]))
        for start in range(0, len(labels), CHUNK)
    )
    return right / len(labels)
