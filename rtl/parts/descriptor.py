"""Layer descriptors: the fields that tell the controller how to run one stage, packed into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

DESCRIPTOR_WORD_BITS = 32


class SizeError(ValueError):
    """Hardware of a size that is not built; the message names the size, its value and what is allowed."""


@dataclass(frozen=True)
class DescriptorFormat:
    """Named fields, each with a width in bits, packed in order into words of 32 bits; a field never
    straddles two words, so that one fetch sets it whole."""

    fields: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        for name, bits in self.fields:
            if not 1 <= bits <= DESCRIPTOR_WORD_BITS:
                raise SizeError(f"descriptor field {name} has {bits} bits, allowed are 1 to 32")

    @cached_property
    def places(self) -> dict[str, tuple[int, int, int]]:
        """Field name to (word, lowest bit, bits)."""
        places, word, used = {}, 0, 0
        for name, bits in self.fields:
            if used + bits > DESCRIPTOR_WORD_BITS:
                word, used = word + 1, 0
            places[name] = (word, used, bits)
            used += bits
        return places

    @cached_property
    def words(self) -> int:
        """Words of one descriptor."""
        return 1 + max(word for word, _, _ in self.places.values())

    def pack(self, values: Mapping[str, int]) -> list[int]:
        """The words of one descriptor. Raises SizeError where a value does not fit its field."""
        if set(values) != set(self.places):
            raise SizeError(f"descriptor fields are {sorted(self.places)}, got {sorted(values)}")
        words = [0] * self.words
        for name, value in values.items():
            word, low, bits = self.places[name]
            if not 0 <= value < 1 << bits:
                raise SizeError(f"descriptor field {name} is {value}, allowed are 0 to {(1 << bits) - 1}")
            words[word] |= value << low
        return words
