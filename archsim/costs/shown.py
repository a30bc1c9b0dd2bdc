"""One unit for a column of figures, so that its numbers can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterable

from archsim.costs.metrics import metric_of

PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
SCALED = {"J": "J", "W": "W", "s": "s", "Hz": "Hz", "stored": "B"}
"""The units that take a prefix, and how they are written; bits are shown as bytes."""

_PLAIN = {"mm2": "mm²", "1/s": "1/s"}


def unit_of(name: str, values: Iterable[float]) -> tuple[str, float]:
    """The unit that suits the values of a figure, "" for a number, and what they are multiplied by for it:
    the prefix is that of the middle one."""
    unit = "Hz" if name == "clock_hz" else metric_of(name).unit
    if unit == "share":
        return "%", 100.0
    if unit not in SCALED:
        return _PLAIN.get(unit, ""), 1.0
    per = 8 if unit == "stored" else 1
    sizes = sorted(math.log10(abs(value) / per) for value in values if value and math.isfinite(value))
    power = 3 * math.floor(sizes[len(sizes) // 2] / 3) if sizes else 0
    power = min(max(power, min(PREFIXES)), max(PREFIXES))
    return f"{PREFIXES[power]}{SCALED[unit]}", 1 / (10.0**power * per)
