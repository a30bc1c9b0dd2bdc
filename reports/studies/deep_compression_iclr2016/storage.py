"""What a pruned layer takes to store: codes of shared weights, distances between them with padding, a
codebook, and the same codes and distances after Huffman coding.

A layer is one run through its matrix, output after output: each kept weight is a code of the codebook and
the distance to the one before it. A distance that does not fit is bridged by entries of weight zero, for
which the codebook keeps its first code.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archsim.engine.gather.encoding import IndexEncoding

Codebook = Literal["k-means", "uniform"]
Order = Literal["by output", "by input"]
FLOAT_BITS = 32
CODE_LENGTH_BITS = 5
"""Bits that tell the length of one Huffman code, up to 31; a canonical code is known by its lengths."""
MOST_ROUNDS = 200


def kept_mask(weights: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """The largest magnitudes, as many as this share of the weights; of equals, the first."""
    count = round(share * weights.size)
    mask = np.zeros(weights.size, dtype=bool)
    mask[np.argsort(-np.abs(weights).ravel(), kind="stable")[:count]] = True
    return mask.reshape(weights.shape)


def codebook(weights: NDArray[np.float32], values: int, kind: Codebook) -> NDArray[np.float64]:
    """`values` shared values, rising. Both kinds begin evenly spread from the least to the largest weight,
    as Deep Compression begins; k-means then moves each to the mean of the weights nearest to it, until none
    moves."""
    exact = np.sort(weights.ravel().astype(np.float64))
    centres = np.linspace(exact[0], exact[-1], values)
    for _ in range(MOST_ROUNDS if kind == "k-means" else 0):
        nearest = codes_of(exact, centres)
        sums = np.bincount(nearest, exact, minlength=values)
        counts = np.bincount(nearest, minlength=values)
        moved = np.where(counts > 0, sums / np.maximum(counts, 1), centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def codes_of(weights: NDArray[np.floating], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each weight, the position of the nearest of the rising centres."""
    borders = (centres[1:] + centres[:-1]) / 2
    return np.searchsorted(borders, weights).astype(np.int64)


def huffman_lengths(counts: Sequence[int]) -> list[int]:
    """The code length of each symbol in a Huffman code for symbols that occur so often; 0 for one that does
    not occur, 1 for one that stands alone."""
    heap: list[tuple[int, int, tuple[int, ...]]] = [
        (count, place, (place,)) for place, count in enumerate(counts) if count
    ]
    lengths = [0] * len(counts)
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        (few, place, symbols), (next_few, _, others) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in (*symbols, *others):
            lengths[symbol] += 1
        heapq.heappush(heap, (few + next_few, place, (*symbols, *others)))
    return lengths


def huffman_bits(symbols: NDArray[np.int64], values: int) -> int:
    """The bits of all symbols together, each from 0 to `values` - 1, in their own Huffman code."""
    counts = np.bincount(symbols, minlength=values)
    return int(counts @ np.array(huffman_lengths(counts.tolist())))


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a layer is stored. With `rows_end` each output is a run of its own and each index carries a bit
    that ends it, as the pruned engine needs; Deep Compression counts no such bit."""

    weight_bits: int = 6
    index_bits: int = 5
    codebook: Codebook = "k-means"
    order: Order = "by output"
    rows_end: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredLayer:
    """A stored layer in numbers: weights of the dense layer, kept weights, entries with the padding among
    them, and bits; `unused_inputs` keep no weight at all. Biases are not counted."""

    name: str
    dense: int
    inputs: int
    unused_inputs: int
    kept: int
    entries: int
    weight_bits: int
    index_bits: int
    huffman_weight_bits: int
    huffman_index_bits: int
    codebook_bits: int
    code_table_bits: int

    @property
    def padding(self) -> int:
        return self.entries - self.kept

    @property
    def bits(self) -> int:
        """Pruned and quantised, with the codebook."""
        return self.weight_bits + self.index_bits + self.codebook_bits

    @property
    def huffman_bits(self) -> int:
        """Huffman coded too, with the codebook."""
        return self.huffman_weight_bits + self.huffman_index_bits + self.codebook_bits


def store(name: str, weights: NDArray[np.float32], mask: NDArray[np.bool_], form: Format) -> StoredLayer:
    """Stores a layer, weights and mask of shape (n_out, n_in)."""
    shown, kept = (weights, mask) if form.order == "by output" else (weights.T, mask.T)
    rows = [np.flatnonzero(row) for row in kept] if form.rows_end else [np.flatnonzero(kept)]
    values = (1 << form.weight_bits) - 1
    codes = 1 + codes_of(shown[kept], codebook(shown[kept], values, form.codebook))
    encoding = IndexEncoding(form.index_bits, relative=True)
    ends = np.cumsum([len(row) for row in rows])
    encoded = [
        encoding.encode_row(row, part) for row, part in zip(rows, np.split(codes, ends[:-1]), strict=True)
    ]
    indices = np.concatenate([part[0] for part in encoded])
    stored = np.concatenate([part[1] for part in encoded])
    flag = 1 << form.index_bits
    # Without row ends the run's one flag, which closes it, says nothing: the size of the layer is known.
    symbols = indices if form.rows_end else indices & (flag - 1)
    return StoredLayer(
        name=name,
        dense=weights.size,
        inputs=weights.shape[1],
        unused_inputs=int((~mask.any(axis=0)).sum()),
        kept=int(mask.sum()),
        entries=len(stored),
        weight_bits=len(stored) * form.weight_bits,
        index_bits=len(stored) * (form.index_bits + form.rows_end),
        huffman_weight_bits=huffman_bits(stored, 1 << form.weight_bits),
        huffman_index_bits=huffman_bits(symbols, flag << form.rows_end),
        codebook_bits=(values + 1) * FLOAT_BITS,
        code_table_bits=((1 << form.weight_bits) + (flag << form.rows_end)) * CODE_LENGTH_BITS,
    )
