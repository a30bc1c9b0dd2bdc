"""What the hardware that moves a cascade over maps is built for: its memories, and the words of a segment.

A segment is a run of stages that is repeated at every place of a map, or at every step of a sequence. Its
word says how the window moves; fields are as wide as the largest value of any segment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rtl.parts.components import bits_for
from rtl.parts.descriptor import DESCRIPTOR_WORD_BITS, DescriptorFormat

SEGMENT_FIELDS = (
    *("final", "recurrent", "words_less_one", "first_channel", "last_channel"),
    *("kernel_rows_less_one", "kernel_columns_less_one", "columns_less_one", "rows_less_one"),
    *("place_step", "ranks_out"),
)
"""The fields of every segment: whether it is the last one, and reads its own outputs; words of a window; its
entries in the table of channels; the kernel; columns and rows of places; from place to place in the map that
is read, and in that which is written."""

KERNEL_FIELDS = ("column_step", "row_jump")
"""Where a kernel has several places: what is added to an address from column to column, and from the last
one of a row of the kernel to the first of the next."""

JUMP_FIELDS = ("origin", "place_jump")
"""Where a map has several rows of places: the address of the first window, and what is added to that of the
last window of a row of places."""

PADDING_FIELDS = ("down", "right", "top", "bottom", "left", "far")
"""Where a map is padded: rows and columns from window to window, and the first and the last but one row and
column, counted from those of the padding, that lie in the map."""


@dataclass(frozen=True, kw_only=True)
class SweepSizes:
    """`image_words` that a load brings in; `rows` of a bank of each map between segments, the map that the
    first segment writes before that of the second; `channels`, entries of the table that names bank and rank
    of a channel; the most `ranks` that a PE has of one place, and of the image; `fields`, the bits of the
    fields of a segment; `segments`."""

    image_words: int
    rows: tuple[int, ...]
    channels: int
    ranks: int
    segments: int
    fields: tuple[tuple[str, int], ...]

    @cached_property
    def segment_format(self) -> DescriptorFormat:
        """How the fields of a segment lie in words, which are read all at once."""
        return DescriptorFormat(self.fields)

    @cached_property
    def bits(self) -> Mapping[str, int]:
        """The bits of each field."""
        return dict(self.fields)

    @property
    def address_bits(self) -> int:
        """Bits of an address of a map: of a row of a bank, or of a word of the image."""
        return bits_for(max(self.image_words, *self.rows, 1))

    def channel_parts(self, pes: int) -> dict[str, int]:
        """The bits of each part of an entry of the table of channels, from the lowest: bank, rank, and
        whether it is one of the step before."""
        return {"bank": bits_for(pes), "rank": bits_for(self.ranks), "state": int(self.has_state)}

    @property
    def has_state(self) -> bool:
        """Whether some segment is recurrent."""
        return "recurrent" in self.bits

    @property
    def has_padding(self) -> bool:
        """Whether some map is padded."""
        return "top" in self.bits

    def shapes(self, pes: int, activation_bits: int) -> tuple[tuple[str, int, int, int], ...]:
        """Role, number, words and bits of the memories: the image, the maps in banks of one a PE, the table
        of channels, and the words of segments, which lie beside each other."""
        return (
            ("image", 1, self.image_words, activation_bits),
            *((f"map_{k}", pes, rows, activation_bits) for k, rows in enumerate(self.rows)),
            ("channel", 1, self.channels, sum(self.channel_parts(pes).values())),
            ("segment", self.segment_format.words, self.segments, DESCRIPTOR_WORD_BITS),
        )


def fields_for(segments: list[dict[str, int]]) -> tuple[tuple[str, int], ...]:
    """The fields that these segments need, each as wide as its largest value. Of a segment, `padded` says
    whether its map is, and `extent` is the most rows or columns of that."""
    most = {name: max(segment[name] for segment in segments) for name in segments[0]}
    several = most["kernel_rows_less_one"] or most["kernel_columns_less_one"]
    kept = {
        *(name for name in SEGMENT_FIELDS if name != "recurrent" or most[name]),
        *(KERNEL_FIELDS if several else ()),
        *(JUMP_FIELDS if most["rows_less_one"] or most["origin"] else ()),
        *(PADDING_FIELDS if most["padded"] else ()),
    }
    # Rows and columns are counted through the padding at the other end too.
    most |= dict.fromkeys(("bottom", "far"), most["extent"])
    return tuple((name, bits_for(most[name] + 1)) for name in segments[0] if name in kept)
