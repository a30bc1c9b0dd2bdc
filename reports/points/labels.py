"""Names beside the points that stand out, placed so that they are off each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PADDING = 12
"""Pixels between the outermost points and the frame, as the scales of the figures have them."""

CHARACTER, LINE, OFF, RING = 7.0, 15.0, 14.0, 9.0
"""Pixels of a character and a line, between a point and its name, and of the ring around a point."""

_STEPS = 14
"""So many lines up and down a name may be moved."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Scale:
    """One axis: values and pixels of a figure."""

    least: float
    most: float
    pixels: float
    log: bool

    @classmethod
    def of(cls, values: Sequence[float], pixels: float, *, log: bool) -> Scale:
        least, most = min(values), max(values)
        return cls(math.log(least), math.log(most), pixels, log) if log else cls(least, most, pixels, log)

    def place(self, value: float) -> float:
        at = math.log(value) if self.log else value
        return PADDING + (self.pixels - 2 * PADDING) * (at - self.least) / ((self.most - self.least) or 1.0)

    def value(self, place: float) -> float:
        share = (place - PADDING) / (self.pixels - 2 * PADDING)
        at = self.least + share * ((self.most - self.least) or 1.0)
        return math.exp(at) if self.log else at


def name_marks(
    rows: Sequence[dict[str, Any]],
    size: tuple[float, float],
    *,
    log: tuple[bool, bool],
    beside: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Says of rows with a `mark` where its name stands: `label_x`, `label_y` in the units of the axes, and on
    which `side` of that place; one for which there is no room has none. What is drawn `beside` them widens
    the axes. The script of the page does the same."""
    named = [row for row in rows if row["mark"]]
    if not named:
        return
    x, y = (
        Scale.of([row[at] for row in (*rows, *beside)], pixels, log=is_log)
        for at, pixels, is_log in zip(("x", "y"), size, log, strict=True)
    )
    boxes: list[Box] = [_ring(x.place(row["x"]), y.place(row["y"])) for row in named]
    for row in sorted(named, key=lambda row: (-row["y"], row["x"])):
        across, up, width = x.place(row["x"]), y.place(row["y"]), CHARACTER * len(row["mark"])
        for side, lift in _tried(across > 0.6 * x.pixels):
            start = across + OFF if side == "right" else across - OFF - width
            box = (start, up + lift - LINE / 2, start + width, up + lift + LINE / 2)
            inside = box[0] >= 0 and box[2] <= x.pixels and box[1] >= 0 and box[3] <= y.pixels
            if inside and not any(_overlap(box, other) for other in boxes):
                boxes.append(box)
                off = OFF if side == "right" else -OFF
                row |= {"side": side, "label_x": x.value(across + off), "label_y": y.value(up + lift)}
                break


def _ring(across: float, up: float) -> Box:
    return across - RING, up - RING, across + RING, up + RING


def _tried(left_first: bool) -> Iterator[tuple[str, float]]:
    """Where a name may stand, the nearest first."""
    sides = ("left", "right") if left_first else ("right", "left")
    for step in range(_STEPS):
        for sign in (-1, 1) if step else (1,):
            yield from ((side, sign * step * LINE) for side in sides)


def _overlap(first: Box, second: Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]
