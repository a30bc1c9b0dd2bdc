"""The numbers that a report rests on and nobody measured: what a technology assumes, with the source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reports.formatting import significant
from reports.write_up.report import Assumption

if TYPE_CHECKING:
    from archsim import Quantity
    from archsim.technology import Technology


def assumptions_of(technologies: Mapping[str, Technology]) -> tuple[Assumption, ...]:
    """Assumed and fitted quantities, and those with a stated error, of each technology in turn."""
    return tuple(
        Assumption(
            name=f"{name}: {quantity.name.rpartition(':')[2]}",
            value=_value(quantity),
            source=" ".join(quantity.source.split()),
        )
        for name, technology in technologies.items()
        for quantity in _once(technology)
        if quantity.kind in ("assumed", "fitted") or quantity.error_factor is not None
    )


def _once(technology: Technology) -> list[Quantity]:
    """The quantities that stand by themselves; the cells of a table share one source."""
    return [quantity for quantity in technology.provenance() if ".csv:" not in quantity.name]


def _value(quantity: Quantity) -> str:
    value = quantity.value
    shown = f"{value:.3g}" if value and not 0.01 <= abs(value) < 1e4 else significant(value)
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    error = f", within a factor of {quantity.error_factor:g}" if quantity.error_factor else ""
    return f"{shown}{unit} ({quantity.kind}{error})"
