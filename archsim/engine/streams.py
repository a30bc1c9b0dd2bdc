"""The order of a network's inputs and outputs, and where on its engine each of them lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archsim.engine.mapping import Mapping
from rtl.axi import InputWrite, Streams


def streams_of(mapping: Mapping) -> Streams:
    """Where the load port puts the inputs of a network, and which PE gives which score."""
    writes = [
        InputWrite(beat, write.unit, write.address)
        for beat, write in zip(_beats(mapping), mapping.load(_zeros(mapping)), strict=True)
    ]
    # Zeros first: they can be written while no beat is there.
    writes.sort(key=lambda write: -1 if write.beat is None else write.beat)
    pes = mapping.sizes.pes
    return Streams(tuple(writes), tuple((int(at) % pes, int(at) // pes) for at in mapping.score_positions))


def _beats(mapping: Mapping) -> list[int | None]:
    """The input that each write of the load port brings in, None for a zero that is none. A mapping only says
    what it writes for an input vector, so it is asked with the numbers of the inputs, a digit of as many bits
    as an activation at a time."""
    inputs, bits = _zeros(mapping).size, mapping.network.activation_bits
    numbers = np.arange(1, inputs + 1)
    found = np.zeros(len(mapping.load(numbers * 0)), dtype=np.int64)
    for shift in range(0, inputs.bit_length(), bits):
        digit = numbers >> shift & (1 << bits) - 1
        found += np.array([write.data for write in mapping.load(digit)]) << shift
    return [int(number) - 1 if number else None for number in found]


def _zeros(mapping: Mapping) -> NDArray[np.int64]:
    return np.zeros(mapping.network.n_in, dtype=np.int64)
