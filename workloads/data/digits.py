"""Forty digits that come with the package: enough to run the hardware on real inputs without a download.

They are the first four of every class of the MNIST test set, in test-set order. MNIST was made by Yann
LeCun, Corinna Cortes and Christopher Burges and is commonly stated to be under CC BY-SA 3.0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DIGITS = Path(__file__).parents[1] / "zoo" / "digits" / "mnist-test-40.npz"
DIGITS_PER_CLASS = 4


def test_digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images (40, 784) as float32 in [0, 1] and labels (40,), in test-set order."""
    with DIGITS.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        images, labels = stored["images"], stored["labels"]
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int64)


# Not a test, whatever its name suggests to a test runner that meets it.
test_digits.__test__ = False  # type: ignore[attr-defined]
