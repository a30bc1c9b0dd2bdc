"""A result at many clocks at once: what follows from the clock is calculated of all of them together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from archsim.costs.metrics import figures
from archsim.costs.of_the_clock import OfTheClock
from archsim.costs.result import Result

AT_ONCE = 8192
"""Clocks whose figures are calculated together: their arrays fit the cache of a core."""


class AtClocks(OfTheClock):
    """A result at many clocks, shape (n,): figures that follow from the clock are arrays of that shape, all
    else is as the result has it."""

    def __init__(self, result: Result, clocks_hz: NDArray[np.float64]) -> None:
        self.result, self.counts, self.missing = result, result.counts, result.missing
        self.clock_hz: Any = clocks_hz
        self.bill = result.bill.over(self.interval_s)
        self._check()

    def __repr__(self) -> str:
        return f"<{self.result!r} at {len(self.clock_hz)} clocks>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["result"], name)

    @property
    def clocks_warnings(self) -> Iterator[tuple[str, ...]]:
        """The warnings at each clock."""
        notes, path_s = self.result.notes, self.result.critical_path_s
        beyond = self.clock_hz * path_s > 1 if path_s is not None else np.zeros(len(self.clock_hz), bool)
        for place, is_beyond in enumerate(beyond):
            if is_beyond:
                yield (*self.result.clock_warnings(self.clock_hz[place].item()), *notes)
            else:
                yield notes


def told_at(result: Result, clocks_hz: NDArray[np.float64]) -> Iterator[dict[str, Any]]:
    """What `told` gives of the result at each of many clocks, shape (n,)."""
    for first in range(0, len(clocks_hz), AT_ONCE):
        at_clocks = AtClocks(result, clocks_hz[first : first + AT_ONCE])
        values = figures_at(at_clocks) | {"exact": result.exact, "warnings": None}
        columns = [
            value.tolist() if isinstance(value, np.ndarray) else itertools.repeat(value)
            for value in values.values()
        ]
        columns[-1] = map(list, at_clocks.clocks_warnings)
        yield from (dict(zip(values, row, strict=True)) for row in zip(*columns, strict=False))


def figures_at(at_clocks: AtClocks) -> dict[str, Any]:
    """The figures of a result at many clocks; those that follow from the clock are arrays, shape (n,)."""
    return figures(cast("Result", at_clocks))
