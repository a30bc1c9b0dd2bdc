"""The clock of a design point: a number of hertz, or what its critical path allows."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from workloads.refusal import Refusal

SLOWEST_HZ, FASTEST_HZ = 1e3, 10e9
"""Nobody clocks an accelerator below a kilohertz: who asks for 100 means megahertz."""

FASTEST: Final = "fastest"
"""Says that a clock is what the critical path allows, at the fidelity that is asked for."""

_WITH_UNIT = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?)\s*([kMG]?)Hz\s*\Z", re.IGNORECASE)
_POWERS = {"": 0, "k": 3, "m": 6, "g": 9}


class ClockError(Refusal):
    """A clock is none, or nobody knows how fast one may be."""


def hertz(value: Any) -> Any:
    """A clock as given, if it is a number of hertz or the fastest one; ClockError, which says what was meant,
    if not."""
    if isinstance(value, str) and value == FASTEST:
        return value
    allowed = f"allowed are numbers in hertz, {SLOWEST_HZ:g} to {FASTEST_HZ:g}, or {FASTEST}"
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str) and (given := _WITH_UNIT.match(value)):
        power = _POWERS[given[2].lower()]
        raise ClockError(f"clock_hz is {value!r}, {allowed}: write {given[1]}{f'e{power}' * (power > 0)}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClockError(f"clock_hz is {value!r}, {allowed}")
    if 0 < value < SLOWEST_HZ:
        raise ClockError(f"clock_hz is {value:g}, {allowed}: was {value:g} MHz meant, which is {value:g}e6?")
    return value


Hertz = Annotated[float, Field(ge=SLOWEST_HZ, le=FASTEST_HZ, allow_inf_nan=False, strict=True)]
Clock = Annotated[Hertz | Literal["fastest"], BeforeValidator(hertz)]
"""A clock as a design point takes it: in hertz, or what the critical path allows."""


def fastest_hz(critical_path_s: float | None, fidelity: str) -> float:
    """The fastest clock that a path allows, in whole hertz, so that the clock times the path is no more than
    one after rounding. Raises ClockError where no path is known at this fidelity."""
    if critical_path_s is None:
        allowed = f"numbers in hertz: the critical path is not known at fidelity {fidelity}"
        raise ClockError.of("clock_hz", FASTEST, allowed)
    return float(min(math.floor(1 / critical_path_s), FASTEST_HZ))
