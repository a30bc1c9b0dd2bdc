"""Numbers for people: SI prefixes, units and signs. Everywhere else a number stays in its SI unit."""

from __future__ import annotations

import math

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_THIN = "\N{NARROW NO-BREAK SPACE}"
_UNKNOWN = "—"


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits and no exponent: 0.0123, 1.23, 12.3, 1,230."""
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    if rounded and math.floor(math.log10(abs(rounded))) > math.floor(math.log10(abs(value))):
        places -= 1
    return f"{rounded:,.{max(places, 0)}f}"


def scaled(value: float | None, unit: str) -> str:
    """A value in an SI unit with the prefix that suits it: 6.78e-8 J is 67.8 nJ; a dash for none."""
    if value is None:
        return _UNKNOWN
    if value == 0:
        return f"0{_THIN}{unit}"
    power = 3 * math.floor(math.log10(abs(float(f"{value:.2e}"))) / 3)
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    return f"{significant(value / 10.0**power)}{_THIN}{_PREFIXES[power]}{unit}"


def area(value_mm2: float | None) -> str:
    """Square millimetres, or square micrometres where they are few."""
    if value_mm2 is None:
        return _UNKNOWN
    if 0 < value_mm2 < 0.001:
        return f"{significant(value_mm2 * 1e6)}{_THIN}µm²"
    return f"{significant(value_mm2)}{_THIN}mm²"


def stored(bits: int) -> str:
    """Bits as bytes, kilobytes (1000 bytes) or megabytes."""
    return scaled(bits / 8, "B")


def count(value: int | None) -> str:
    """A whole number with thousands set apart."""
    return _UNKNOWN if value is None else f"{value:,}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of one as a percentage."""
    return _UNKNOWN if share is None else f"{share * 100:.{digits}f}{_THIN}%"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{difference * 100:+.2f}{_THIN}points".replace("-", "−")


def expected_error(share: float) -> str:
    """A relative error as a percentage, a large one as a factor up or down."""
    return f"±{_THIN}{percent(share)}" if share < 0.5 else f"a factor of {1 + share:.2g}"


def ratio(value: float | None) -> str:
    """How many times: 2.13×."""
    return _UNKNOWN if value is None else f"{value:.2f}×"


_UNITS = {"_s": "s", "_j": "J", "_w": "W", "_hz": "Hz"}


def metric(name: str, value: float | None) -> str:
    """A value formatted by the unit at the end of its name, as in `energy_j` and `area_mm2`."""
    if name.endswith("_mm2"):
        return area(value)
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return scaled(value, unit)
    return _UNKNOWN if value is None else significant(value)


def unit_cost(value: float, unit: str) -> str:
    """A cost for each of something: `J/word` is scaled before the slash."""
    base, slash, per = unit.partition("/")
    shown = area(value) if base == "mm2" else scaled(value, base)
    return f"{shown}{slash}{per}"
