"""Biases as words of the weight stream: the first words of each row, which the multiplier brings to their
scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads import IntegerStage


@dataclass(frozen=True, eq=False)
class BiasRows:
    """The biases of a stage: `words` (n_out, words a row), each as wide as a weight and multiplied by
    2^shift, a power of two that an activation holds."""

    words: NDArray[np.int64]
    shift: int = 0

    @property
    def of_row(self) -> int:
        """Words of a row; none where the stage has no bias."""
        return int(self.words.shape[1])


def bias_rows(stage: IntegerStage, weight_bits: int, activation_bits: int) -> BiasRows:
    """The biases of a stage. One whose scale no activation holds takes several words, which add up to it."""
    n_out = stage.stage.n_out
    if stage.bias is None:
        return BiasRows(np.zeros((n_out, 0), dtype=np.int64))
    shift = min(stage.bias_shift, activation_bits - 2)
    left = stage.bias << (stage.bias_shift - shift)
    top = 1 << (weight_bits - 1)
    needed = np.where(left < 0, -(left // top), -(-left // (top - 1)))
    words = np.zeros((n_out, max(1, int(needed.max()))), dtype=np.int64)
    for word in words.T:
        word[:] = np.clip(left, -top, top - 1)
        left = left - word
    return BiasRows(words, shift)
