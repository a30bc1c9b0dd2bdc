"""In which order activations come in and scores go out, and where in the engine each of them lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class InputWrite:
    """One write of the load port: of an input beat, by number, or of a zero (`None`), which every vector
    needs anew."""

    beat: int | None
    unit: int
    address: int


@dataclass(frozen=True)
class Streams:
    """The writes of one vector in the order in which they are made, zeros first and then beat by beat, and
    for each score, in the order of the network, its PE and how many scores that PE gave before it."""

    writes: tuple[InputWrite, ...]
    scores: tuple[tuple[int, int], ...]

    @property
    def inputs(self) -> int:
        """Beats of an input vector."""
        return len({write.beat for write in self.writes} - {None})

    @property
    def takes(self) -> tuple[bool, ...]:
        """For each write whether it is the last one of its beat."""
        beats = [write.beat for write in self.writes]
        following = [*beats[1:], None]
        return tuple(beat is not None and beat != after for beat, after in zip(beats, following, strict=True))

    @property
    def counted_units(self) -> int | None:
        """Over how many units inputs are dealt in turn, row after row; None where a table has to say where
        each of them lies."""
        places = [(write.unit, write.address) for write in self.writes]
        return dealt_over(places) if all(self.takes) else None

    @property
    def counted_lanes(self) -> int | None:
        """Over how many PEs scores are dealt in turn; None where a table has to say."""
        return dealt_over(self.scores)


def dealt_over(places: Sequence[tuple[int, int]]) -> int | None:
    """How many there are of the first of each pair, where that counts round and the second counts rounds."""
    number = max(first for first, _ in places) + 1
    counted = all(pair == (k % number, k // number) for k, pair in enumerate(places))
    return number if counted else None
