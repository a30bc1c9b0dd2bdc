"""What an index costs: the bits that are stored with it, and the entries that take time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.engine.gather.encoding import IndexEncoding
from archsim.engine.gather.entries import DealtStage


def worth_blocks(dealt: Sequence[DealtStage], weight_bits: int) -> bool:
    """Whether so few places of blocks are empty that one index for each could pay: without any, weights of
    all these places would cost less than those that are kept do with an index of their own."""
    if not all(stage.fits for stage in dealt):
        return False
    kept = max(1, sum(stage.kept for stage in dealt))
    places = sum(stage.weights.size for stage in dealt)
    index_bits = max(stage.inputs for stage in dealt).bit_length() + 1
    return (places / kept) ** 2 * weight_bits <= weight_bits + index_bits


def expense(encoding: IndexEncoding, dealt: Sequence[DealtStage], fetch_bits: int, weight_bits: int) -> int:
    """Words of weights and indices that all PEs need with this encoding, times their entries: what is stored
    times how long it takes, stalls apart. Padding pays in both."""
    words, taken = 0, 0
    for stage in dealt:
        indices, entries = _of_walkers(stage, encoding)
        words += int(np.ceil(indices / (fetch_bits // encoding.word_bits)).sum())
        words += int(np.ceil(entries / (fetch_bits // weight_bits)).sum()) * encoding.lockstep
        taken += int(entries.sum()) * encoding.lockstep
    return words * taken


@lru_cache(maxsize=1024)
def _of_walkers(stage: DealtStage, encoding: IndexEncoding) -> tuple[NDArray[Any], NDArray[Any]]:
    """The indices and the entries of each walker, however many go into a word, shape (walkers,) each."""
    of_rows = stage.entries_of_rows(encoding)
    indices, entries = (
        np.bincount(stage.row_walker, weights=rows, minlength=stage.walkers)
        for rows in (stage.indices_of(of_rows, encoding), of_rows)
    )
    return indices, entries
