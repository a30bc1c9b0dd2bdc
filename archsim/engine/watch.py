"""What an event simulation is seen to do: who does what in which cycles, gathered into signals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rtl import Signals

WHETHER = {"requantisers", "bus"}
"""Rows that say whether something works, however many things it does at once."""


@dataclass(eq=False)
class Watch:
    """Told of spans of cycles by row (see `Signals`), and of the `products` and `stalls` of PEs as pairs of
    a cycle and what picks PEs: a number or a mask; and of the columns that they pass over (`passes`). Of a
    sweep it is told when windows begin to be filled and the engine is started (`fills`, `starts`), by
    segment, and `parts` are the engine's at one place of each.
    """

    pes: int
    products: list[tuple[int, int | NDArray[np.bool_]]] = field(default_factory=list)
    stalls: list[tuple[int, int]] = field(default_factory=list)
    passes: list[tuple[int, int]] = field(default_factory=list)
    parts: list[Watch] = field(default_factory=list)
    fills: list[list[int]] = field(default_factory=list)
    starts: list[list[int]] = field(default_factory=list)
    _spans: defaultdict[str, list[tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: str, first: int, cycles: int = 1, value: int = 1) -> None:
        """Adds `value` to a row in `cycles` cycles from `first` on."""
        self._spans[row].append((first, cycles, value))

    def add_each(self, row: str, cycles: NDArray[np.int64], value: int = 1) -> None:
        """Adds `value` to a row for each of these cycles."""
        self._spans[row] += [(cycle, 1, value) for cycle in cycles.tolist()]

    def part(self) -> Watch:
        """A watch for the engine at one place of the next segment."""
        self.parts.append(Watch(self.pes))
        self.fills.append([])
        self.starts.append([])
        return self.parts[-1]

    def signals(self, cycles: int) -> Signals:
        """The first `cycles` cycles."""
        rows = {name: _summed(spans, cycles) for name, spans in self._spans.items()}
        rows |= {name: np.minimum(rows[name], 1) for name in WHETHER & rows.keys()}
        products, stalls, passes = (np.zeros((self.pes, cycles), dtype=bool) for _ in range(3))
        for cycle, chosen in self.products:
            products[chosen, cycle] = True
        for marks, seen in ((stalls, self.stalls), (passes, self.passes)):
            for cycle, pe in seen:
                marks[pe, cycle] = True
        return Signals(0, rows, products, stalls, passes if self.passes else None)


def _summed(spans: list[tuple[int, int, int]], cycles: int) -> NDArray[np.int64]:
    """The sum of spans of first cycle, cycles and value in each cycle."""
    first, length, value = np.array(spans, dtype=np.int64).reshape(-1, 3).T
    steps = np.zeros(cycles + 1, dtype=np.int64)
    np.add.at(steps, np.minimum(first, cycles), value)
    np.add.at(steps, np.minimum(first + length, cycles), -value)
    summed: NDArray[np.int64] = np.cumsum(steps[:-1])
    return summed
