"""Figures as people read them: one unit for a column, so that its numbers can be compared, and tables of HTML
for notebooks."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

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


def number(value: float) -> str:
    """Four digits of a fraction, all of a whole number."""
    if float(value).is_integer():
        return f"{int(value):,}"
    places = max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}" if places < 7 else f"{value:.3e}"


def html_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table of texts under a caption and heads."""

    def line(tag: str, cells: Sequence[Any]) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(str(cell))}</{tag}>' for cell in cells)}</tr>"

    body = "".join(line("td", row) for row in rows)
    head = f"<thead>{line('th', heads)}</thead>"
    return f"<table><caption>{html.escape(caption)}</caption>{head}<tbody>{body}</tbody></table>"


class _Dumped(Protocol):
    """What tells its fields as plain values."""

    def model_dump(self) -> dict[str, Any]: ...


class Shown:
    """A model of pydantic that a notebook shows as a table of its fields."""

    def _repr_html_(self: _Dumped) -> str:
        rows = []
        for name, value in self.model_dump().items():
            inner = value.items() if isinstance(value, dict) else (("", value),)
            rows += [(f"{name}.{part}" if part else name, each) for part, each in inner if each is not None]
        return html_table(type(self).__name__, ("field", "value"), rows)
