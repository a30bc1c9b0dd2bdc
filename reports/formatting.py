"""Numbers for people: SI prefixes, units and signs. Everywhere else a number stays in its SI unit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archsim.costs.metrics import metric_of

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


BEYOND = "!"
"""The mark of a figure that needs a clock which the critical path does not allow."""

BEYOND_MEANS = f"figures with {BEYOND} are of a clock that the critical path does not allow"


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


def count(value: float | None) -> str:
    """A whole number with thousands set apart; a mean of such with three digits."""
    if value is None:
        return _UNKNOWN
    return f"{round(value):,}" if value == round(value) else significant(value)


def plural(many: int, word: str) -> str:
    """So many of what a word says."""
    return f"{many:,} {word}{'s' * (many != 1)}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of one as a percentage."""
    return _UNKNOWN if share is None else f"{share * 100:.{digits}f}{_THIN}%"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{difference * 100:+.2f}{_THIN}points".replace("-", "−")


def fit_error(mean: float, worst: float) -> str:
    """The relative errors of a fit as percentages."""
    return f"{percent(mean)}, worst {percent(worst)}"


def ends(low: float, high: float) -> str:
    """Two multiples of a figure, or the ends of a ratio: 0.58× to 1.45×."""
    return f"{ratio(low)} to {ratio(high)}"


def ratio(value: float | None) -> str:
    """How many times: 2.13×."""
    return _UNKNOWN if value is None or math.isinf(value) else f"{value:.2f}×"


def ratio_within(value: float, interval: tuple[float, float] | None) -> str:
    """A ratio with the ends between which it lies: 1.58× (1.44 to 1.59)."""
    return ratio(value) if interval is None else f"{ratio(value)} ({interval[0]:.2f} to {interval[1]:.2f})"


def metric(name: str, value: float | None) -> str:
    """A value in the unit of its metric, as in `energy_j` and `area_mm2`."""
    return shown(value, metric_of(name).unit)


def unit_cost(value: float, unit: str) -> str:
    """A cost for each of something: `J/word` is scaled before the slash."""
    base, slash, per = unit.partition("/")
    shown = area(value) if base == "mm2" else scaled(value, base)
    return f"{shown}{slash}{per}"


def _fixed(value: float, places: int | None) -> str:
    return significant(value) if places is None else f"{value:,.{places}f}"


def _rounded(unit: str) -> Callable[[float, int | None], str]:
    return lambda value, places: f"{count(round(value))} {unit}"


def _scaled(unit: str) -> Callable[[float, int | None], str]:
    return lambda value, places: scaled(value, unit)


UNITS: Mapping[str, Callable[[Any, int | None], str]] = {
    "": lambda value, places: str(value),
    "yes or no": lambda value, places: "yes" if value else "no",
    "number": _fixed,
    "plain": lambda value, places: f"{value:.{places or 6}g}",
    "count": lambda value, places: count(value),
    "share": lambda value, places: percent(value, 2 if places is None else places),
    "points": lambda value, places: points(value),
    "times": lambda value, places: f"{_fixed(value, places)}×",
    "ratio": lambda value, places: ratio(value),
    "bit": lambda value, places: f"{_fixed(value, places)} bit",
    "stored": lambda value, places: stored(value),
    "byte": _scaled("B"),
    **{unit: _scaled(unit) for unit in ("J", "W", "s", "Hz", "m", "op/s")},
    "mm2": lambda value, places: area(value),
    "1/s": _rounded("/s"),
    "1/J": _rounded("/J"),
    "1/(s mm2)": _rounded("/(s mm²)"),
}
"""How a value of a unit is shown, with so many decimal places where that can be chosen. Beside SI units there
are kinds of numbers: `""` are words, `share` is of one, `stored` are bits that are shown as bytes."""

_WITHOUT_UNIT = ("", "yes or no", "number", "plain", "count", "times", "ratio")


def shown(value: Any, unit: str = "", places: int | None = None) -> str:
    """A value for people; a dash for none, words as they are. Raises KeyError for an unknown unit."""
    if value is None:
        return _UNKNOWN
    return value if isinstance(value, str) else UNITS[unit](value, places)


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: a, b and c."""
    return " and ".join([", ".join(words[:-1])] * (len(words) > 1) + [words[-1]])


def heading(text: str, unit: str) -> str:
    """A heading over plain values: with the unit that they are in, where they have one."""
    plain = "bit" if unit == "stored" else unit
    return text if unit in _WITHOUT_UNIT else f"{text} [{plain}]".lstrip()
