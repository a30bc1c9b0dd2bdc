"""The families that are known, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from workloads.stages import Stage, TopologyError, whole_number

Builder = Callable[..., tuple[Stage, ...]]

FAMILIES: dict[str, Builder] = {}


def family(name: str) -> Callable[[Builder], Builder]:
    """Register a builder `(n_in, n_out, *, parameters) -> cascade` under this name."""

    def register(builder: Builder) -> Builder:
        FAMILIES[name] = builder
        return builder

    return register


def build_layer(family: str, n_in: int, n_out: int, **parameters: Any) -> tuple[Stage, ...]:
    """The cascade of one layer; a `TopologyError` names an unknown family or a parameter it does not take."""
    if family not in FAMILIES:
        allowed = ", ".join(sorted(FAMILIES))
        raise TopologyError(f"family of a layer is {family!r}; it must be one of {allowed}.")
    builder = FAMILIES[family]
    known = inspect.signature(builder).parameters
    for name in parameters:
        if name not in known or name in ("n_in", "n_out"):
            allowed = ", ".join(list(known)[2:]) or "none"
            raise TopologyError(f"parameter {name!r} is not one of the {family} family; it takes {allowed}.")
    for name, parameter in list(known.items())[2:]:
        if parameter.default is parameter.empty and name not in parameters:
            raise TopologyError(f"parameter {name!r} of the {family} family is missing; it must be given.")
    owner = f"a {family} layer"
    return builder(whole_number(owner, "n_in", n_in), whole_number(owner, "n_out", n_out), **parameters)
