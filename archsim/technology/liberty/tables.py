"""The units and lookup tables of a Liberty library, read at the one slew and load of this project's model.

Delay is a straight line over load, fitted to the tables at 0.1 ns input slew; energy is taken at the same
slew and a stated load.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from archsim.technology.liberty.text import Group, LibertyError, unquoted

Floats = NDArray[np.float64]
REFERENCE_SLEW_S = 1e-10
_SCALES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
DELAYS = ("cell_rise", "cell_fall")
TRANSITIONS = ("rise_transition", "fall_transition")
ENERGIES = ("rise_power", "fall_power", "power")
CONSTRAINTS = ("rise_constraint", "fall_constraint")

_TIME_TEMPLATE, _POWER_TEMPLATE = "lu_table_template", "power_lut_template"


def supply_pin(group: Group) -> str:
    """The supply pin that a power is taken from; empty where the cell states none."""
    return group.text("related_pg_pin") or group.text("power_level")


def mean(values: Iterable[float]) -> float:
    """The mean, zero of nothing."""
    found = list(values)
    return float(np.mean(found)) if found else 0.0


def _read_at(point: float, points: Floats, values: Floats) -> Floats:
    """The values at one point of their first axis, which goes away."""
    columns = [np.interp(point, points, column) for column in values.reshape(len(points), -1).T]
    return np.array(columns).reshape(values.shape[1:])


class Tables:
    """Reads the tables of one library in SI units. Internal energy is in capacitance unit x voltage unit
    squared.

    Raises LibertyError for a unit that is missing or no unit, and for a table that is not as large as its
    axes.
    """

    def __init__(self, library: Group) -> None:
        model = library.text("delay_model", "table_lookup")
        if model != "table_lookup":
            raise LibertyError(f"library {library.name}: delay_model is {model}, allowed is table_lookup")
        self._library = library.name
        self._templates = self._named_templates(library)
        # Liberty's own defaults are 1 ns and 1 V; it has none for capacitance and leakage.
        self.time = self._unit(library.text("time_unit", "1ns"), "s")
        load_unit = library.values("capacitive_load_unit")
        if len(load_unit) != 2:
            raise LibertyError(
                f"library {library.name}: capacitive_load_unit is {' '.join(load_unit) or 'missing'}, "
                "allowed is a number and ff or pf"
            )
        self.capacitance = self._unit(load_unit[0] + load_unit[1], "f")
        self.energy = self.capacitance * self._unit(library.text("voltage_unit", "1V"), "v") ** 2
        leakage_unit = library.text("leakage_power_unit")
        self._leakage = self._unit(leakage_unit, "w") if leakage_unit else None

    @property
    def leakage(self) -> float:
        if self._leakage is None:
            raise LibertyError(
                f"library {self._library}: leakage_power_unit is missing where cells state leakage, allowed "
                "is a library with one"
            )
        return self._leakage

    def energy_j(
        self, powers: Iterable[Group], load_f: float, kinds: tuple[str, ...] = ENERGIES
    ) -> float | None:
        """Internal energy of one transition: of each supply pin the mean over all tables of these groups and
        kinds, and of the pins the sum; None without any table."""
        by_pin: dict[str, list[float]] = {}
        for power in powers:
            for table in power.groups(*kinds):
                loads, values = self._over_load(table)
                energy_j = float(np.interp(load_f / self.capacitance, loads, values)) * self.energy
                by_pin.setdefault(supply_pin(power), []).append(energy_j)
        return sum(map(mean, by_pin.values())) if by_pin else None

    def leakage_w(self, groups: Iterable[Group]) -> float | None:
        """The leakage of a cell: of each supply pin the mean over its states, and of the pins the sum; None
        where none states a value."""
        by_pin: dict[str, list[float]] = {}
        for group in groups:
            if (value := group.number("value")) is not None:
                by_pin.setdefault(supply_pin(group), []).append(value)
        return sum(map(mean, by_pin.values())) * self.leakage if by_pin else None

    def line(self, timing: Group) -> tuple[float, float]:
        """Intrinsic delay (s) and slope (s/F): a least-squares line over the loads up to the middle one, mean
        of rise and fall."""
        fits = []
        for table in timing.groups(*DELAYS):
            loads, values = self._over_load(table)
            if len(loads) < 2:
                fits.append((float(values[0]) * self.time, 0.0))
                continue
            used = max(2, (len(loads) + 1) // 2)
            slope, start = np.polyfit(loads[:used], values[:used], 1)
            fits.append((float(start) * self.time, float(slope) * self.time / self.capacitance))
        return mean(fit[0] for fit in fits), mean(fit[1] for fit in fits)

    def constraint_s(self, table: Group) -> float:
        """A setup time with clock and data both at the reference slew."""
        axes, values = self._axes_and_values(table)
        for _, points in axes:
            values = _read_at(REFERENCE_SLEW_S / self.time, points, values)
        return float(values.reshape(-1)[0]) * self.time

    def over_slew_and_load(self, table: Group) -> tuple[Floats, Floats, Floats]:
        """Slews (s), loads (F) and values (s, slews x loads) of a table of times; a table that does not
        follow one of the two is the same along it, and one that follows anything else is read at the
        reference slew there."""
        axes, values = self._axes_and_values(table)
        kinds = ["load" if "capacitance" in variable else "slew" for variable, _ in axes]
        for place in reversed(range(len(axes))):
            if kinds[place] == "slew" and "slew" in kinds[:place]:
                along = axes[place][1]
                values = _read_at(REFERENCE_SLEW_S / self.time, along, np.moveaxis(values, place, 0))
                del kinds[place], axes[place]
        there = [kind for kind in ("slew", "load") if kind in kinds]
        values = np.transpose(values, [kinds.index(kind) for kind in there])
        points = dict(zip(kinds, (along for _, along in axes), strict=True))
        missing = tuple(place for place, kind in enumerate(("slew", "load")) if kind not in there)
        slews, loads = (points.get(kind, np.array([0.0, 1.0])) for kind in ("slew", "load"))
        whole = np.broadcast_to(np.expand_dims(values, missing), (len(slews), len(loads)))
        return slews * self.time, loads * self.capacitance, whole * self.time

    def _over_load(self, table: Group) -> tuple[Floats, Floats]:
        """Loads (library units) and values of a table at the reference slew."""
        axes, values = self._axes_and_values(table)
        loads = np.zeros(1)
        for place, (variable, points) in reversed(list(enumerate(axes))):
            if "capacitance" in variable:
                loads = points
            else:
                values = _read_at(REFERENCE_SLEW_S / self.time, points, np.moveaxis(values, place, 0))
        return loads, values.reshape(-1)

    def _axes_and_values(self, table: Group) -> tuple[list[tuple[str, Floats]], Floats]:
        axes = self._axes(table)
        values = self._numbers(table, "values")
        shape = [len(points) for _, points in axes]
        loads = sum("capacitance" in variable for variable, _ in axes)
        if loads > 1 or values.size != int(np.prod(shape)):
            raise LibertyError(
                f"Liberty text, line {table.line}: {table.kind} has {values.size} values over axes of "
                f"{shape}, allowed is a value for each point of slews and one load"
            )
        return axes, values.reshape(shape)

    def _axes(self, table: Group) -> list[tuple[str, Floats]]:
        """Variable and points of each axis of a table, its template's points where it has none of its own."""
        kinds = (_TIME_TEMPLATE, _POWER_TEMPLATE)
        known = [self._templates.get((kind, table.name)) for kind in kinds]
        first, other = reversed(known) if table.kind in ENERGIES else known
        template = first or other
        axes = []
        for number in ("1", "2", "3"):
            points = self._numbers(table, "index_" + number)
            if not points.size and template is not None:
                points = self._numbers(template, "index_" + number)
            if (np.diff(points) <= 0).any():
                raise LibertyError(
                    f"Liberty text, line {table.line}: index_{number} of {table.kind} is {points.tolist()}, "
                    "allowed are rising numbers"
                )
            if points.size:
                if template is None:
                    raise LibertyError(
                        f"Liberty text, line {table.line}: template of {table.kind} is {table.name!r}, which "
                        "is not there, allowed is one that says what the axes are"
                    )
                axes.append((template.text("variable_" + number), points))
        return axes

    def _named_templates(self, library: Group) -> dict[tuple[str, str], Group]:
        """The templates by kind and name: one of energies may be called as one of times is."""
        named: dict[tuple[str, str], Group] = {}
        for group in library.groups(_TIME_TEMPLATE, _POWER_TEMPLATE):
            for argument in group.arguments:
                key = group.kind, unquoted(argument)
                if named.setdefault(key, group).statements != group.statements:
                    raise LibertyError(
                        f"Liberty text, line {group.line}: {group.kind} ({key[1]}) is there twice, "
                        "differently, allowed is one of a name"
                    )
        return named

    def _numbers(self, group: Group, name: str) -> Floats:
        words = " ".join(group.values(name)).replace(",", " ").split()
        try:
            found = np.array([float(word) for word in words])
        except ValueError:
            found = np.array([np.nan])
        if np.isfinite(found).all():
            return found
        raise LibertyError(
            f"Liberty text, line {group.line}: {name} of {group.kind} holds {' '.join(words)!r}, "
            "allowed are numbers"
        )

    def _unit(self, text: str, symbol: str) -> float:
        match = re.fullmatch(
            rf"([0-9]+[.]?[0-9]*(?:e[-+]?[0-9]+)?)\s*([fpnumk]?){symbol}", text.strip().lower()
        )
        if match is None or not float(match.group(1)) > 0:
            raise LibertyError(
                f"library {self._library}: a unit is {text!r}, allowed is a number, a prefix and the symbol "
                f"{symbol!r}"
            )
        return float(match.group(1)) * _SCALES[match.group(2)]
