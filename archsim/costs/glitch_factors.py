"""What glitches add to the switching of gates, by kind of component, as `calibration.glitches` measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archsim.technology.quantity import Quantity
from rtl import Sizes

PE = "pe"
OTHER = "other"


def glitch_key(component: str, sizes: Sizes) -> str:
    """Under which name a component's glitches are measured: those of a PE follow the width of its operands,
    those of the rest the kind of engine."""
    if component == PE:
        return PE
    return f"{sizes.glitch_family}.{component}" if sizes.glitch_family else OTHER


def glitch_amount(key: str, sizes: Sizes) -> int:
    """How much of a component there is for glitches to grow with: operand bits of a PE, else one."""
    return sizes.weight_bits + sizes.activation_bits if key == PE else 1


def glitch_share(glitches: Mapping[str, Quantity], component: str, sizes: Sizes) -> tuple[float, Quantity]:
    """What glitches add, as a share of the switching of the component's gates without them, and the quantity
    behind it; that of all components where this one was not measured."""
    key: Any = glitch_key(component, sizes)
    key = key if key in glitches else OTHER
    return float(glitches[key]) * glitch_amount(key, sizes), glitches[key]
