"""Reads a Liberty file into the few figures this project uses of a cell: area, pins, delay, energy and
leakage.

Delay is a straight line over load, fitted to the tables at 0.1 ns input slew; energy is taken at the
same slew and a load of four NAND2 inputs. So a foundry's library and the project's own go through the
same model.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from archsim.technology.boolean import truth_table

REFERENCE_SLEW_S = 1e-10
_SCALES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|//[^\n]*|[{}();:,]|[^\s{}();:,"]+', re.DOTALL)


class LibertyError(ValueError):
    """A text is not a Liberty library, or lacks something the project needs of one."""


@dataclass(frozen=True)
class Arc:
    """A way from an input pin to an output pin: delay = `intrinsic_s` + `slope_s_per_f` x load in farad."""

    input: str
    output: str
    intrinsic_s: float
    slope_s_per_f: float


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One standard cell.

    `input_capacitance_f` is by input pin, `functions` (Liberty text) and `switch_energy_j` (internal
    energy per output transition, without the load) by output pin. `clock_pin` is empty for a gate;
    `clock_edge_energy_j` is the internal energy of one clock edge with the data still. `next_state` is
    the Liberty text of what a flop takes over.
    """

    name: str
    area_um2: float
    leakage_w: float
    input_capacitance_f: Mapping[str, float]
    functions: Mapping[str, str]
    switch_energy_j: Mapping[str, float]
    arcs: tuple[Arc, ...]
    clock_pin: str = ""
    clock_edge_energy_j: float = 0.0
    setup_s: float = 0.0
    next_state: str = ""
    has_reset: bool = False

    @property
    def is_flop(self) -> bool:
        return bool(self.clock_pin)


@dataclass(frozen=True, kw_only=True)
class CellLibrary:
    """The cells of one Liberty file, its text (Yosys reads that) and its supply."""

    name: str
    text: str = field(repr=False)
    supply_v: float
    cells: Mapping[str, Cell]

    def gate(self, function: str, inputs: tuple[str, ...]) -> Cell:
        """The smallest gate with this function, whatever its pins are called; LibertyError where there
        is none."""
        wanted = truth_table(function, inputs)
        fitting = [
            cell
            for cell in self.cells.values()
            if not cell.is_flop
            and len(cell.functions) == 1
            and len(cell.input_capacitance_f) == len(inputs)
            and truth_table(next(iter(cell.functions.values())), tuple(cell.input_capacitance_f)) == wanted
        ]
        if not fitting:
            raise LibertyError(
                f"library {self.name}: it has no gate {function!r}; allowed is a library with one."
            )
        return min(fitting, key=lambda cell: cell.area_um2)

    def flop(self, *, enable: bool) -> Cell:
        """The smallest flop without set or reset, with or without an enable pin; LibertyError without one."""
        fitting = [
            cell
            for cell in self.cells.values()
            if cell.is_flop and not cell.has_reset and len(cell.input_capacitance_f) == 2 + enable
        ]
        if not fitting:
            raise LibertyError(
                f"library {self.name}: it has no flop with enable {enable}; allowed is a library with one."
            )
        return min(fitting, key=lambda cell: cell.area_um2)

    @cached_property
    def nand2(self) -> Cell:
        return self.gate("!(A&B)", ("A", "B"))

    @cached_property
    def buffer(self) -> Cell:
        return self.gate("A", ("A",))

    @property
    def gate_equivalent_um2(self) -> float:
        """Area of the smallest two-input NAND, which is what one gate equivalent means."""
        return self.nand2.area_um2


@dataclass
class _Group:
    kind: str
    arguments: list[str]
    attributes: dict[str, list[str]]
    groups: list["_Group"]

    def all(self, kind: str) -> Iterator["_Group"]:
        return (group for group in self.groups if group.kind == kind)

    def text(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, [default])[0]

    def number(self, name: str, default: float = 0.0) -> float:
        return float(self.text(name, str(default)))


def read_liberty(source: Path | str) -> CellLibrary:
    """The library of a Liberty file (a path) or of a Liberty text.

    Cells without area or with a function this project cannot use (latches, tri-states, bus pins) are
    left out. Raises LibertyError for a text that is not a library, for one without a two-input NAND or
    without a flop.
    """
    text = source.read_text(encoding="utf-8", errors="replace") if isinstance(source, Path) else source
    library = _parse(text)
    units = _Units(library)
    reference_load_f = 4 * _nand2_input_f(library, units)
    supply_v = library.number("nom_voltage", 1.0)
    cells = {}
    for group in library.all("cell"):
        cell = _cell(group, units, reference_load_f, library)
        if cell is not None:
            cells[cell.name] = cell
    result = CellLibrary(name=library.arguments[0], text=text, supply_v=supply_v, cells=cells)
    result.flop(enable=False)
    return result


def _parse(text: str) -> _Group:
    tokens = [t for t in _TOKEN.findall(text.replace("\\\n", " ")) if not t.startswith(("/*", "//"))]
    root = _Group("", [], {}, [])
    stack, place = [root], 0
    while place < len(tokens):
        token = tokens[place]
        if token == "}":
            if len(stack) == 1:
                raise LibertyError(
                    "Liberty text closes a bracket it never opened; allowed are balanced brackets."
                )
            stack.pop()
            place += 1
        elif token in (";", ","):
            place += 1
        elif tokens[place + 1 : place + 2] == [":"]:
            end = tokens.index(";", place) if ";" in tokens[place : place + 64] else place + 3
            stack[-1].attributes[token] = [" ".join(t.strip('"') for t in tokens[place + 2 : end])]
            place = end
        elif tokens[place + 1 : place + 2] == ["("]:
            end = tokens.index(")", place)
            arguments = [t.strip('"') for t in tokens[place + 2 : end] if t != ","]
            place = end + 1
            if tokens[place : place + 1] == ["{"]:
                group = _Group(token, arguments, {}, [])
                stack[-1].groups.append(group)
                stack.append(group)
                place += 1
            else:
                stack[-1].attributes[token] = arguments
        else:
            raise LibertyError(f"Liberty text has {token!r} where an attribute or a group is allowed.")
    if len(stack) != 1 or len(root.groups) != 1 or root.groups[0].kind != "library":
        raise LibertyError(
            "Liberty text holds no complete library group; allowed is one library (name) { ... }."
        )
    return root.groups[0]


class _Units:
    """The units of a library as factors to SI. Internal energy is in capacitance unit x voltage unit
    squared."""

    def __init__(self, library: _Group) -> None:
        self.time = self._unit(library.text("time_unit", "1ns"), "s")
        self.leakage = self._unit(library.text("leakage_power_unit", "1nW"), "w")
        value, name = library.attributes.get("capacitive_load_unit", ["1", "pf"])
        self.capacitance = float(value) * self._unit("1" + name, "f")
        self.energy = self.capacitance * self._unit(library.text("voltage_unit", "1V"), "v") ** 2

    @staticmethod
    def _unit(text: str, symbol: str) -> float:
        match = re.fullmatch(rf"([0-9.]+)\s*([fpnumk]?){symbol}", text.strip().lower())
        if match is None:
            raise LibertyError(
                f"Liberty unit is {text!r}; allowed is a number, a prefix and the symbol {symbol!r}."
            )
        return float(match.group(1)) * _SCALES[match.group(2)]


def _numbers(texts: list[str]) -> np.ndarray:
    return np.array([float(word) for text in texts for word in text.replace(",", " ").split()])


def _axis(group: _Group, library: _Group, number: str) -> tuple[str, np.ndarray] | None:
    """The variable and the values of one index of a lookup group, its template's where it has none of
    its own."""
    name = group.arguments[0] if group.arguments else ""
    templates = [t for t in library.groups if t.kind.endswith("template") and name in t.arguments]
    index = group.attributes.get("index_" + number)
    if index is None and templates:
        index = templates[0].attributes.get("index_" + number)
    if index is None:
        return None
    return templates[0].text("variable_" + number) if templates else "", _numbers(index)


def _table(group: _Group, library: _Group) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slews, loads and values (slew x load) of a lookup group, in the library's own units."""
    axes = [axis for axis in (_axis(group, library, number) for number in ("1", "2")) if axis is not None]
    values = _numbers(group.attributes.get("values", ["0"])).reshape(
        [len(points) for _, points in axes] or [1]
    )
    loads, slews = np.zeros(1), np.zeros(1)
    for variable, points in axes:
        if "capacitance" in variable:
            loads = points
        else:
            slews = points
    if axes and "capacitance" in axes[0][0]:
        values = values.T
    return slews, loads, values.reshape(len(slews), len(loads))


def _at_reference_slew(group: _Group, units: _Units, library: _Group) -> tuple[np.ndarray, np.ndarray]:
    """Loads (library units) and values of a lookup group at the reference slew."""
    slews, loads, values = _table(group, library)
    slew = REFERENCE_SLEW_S / units.time
    return loads, np.array([np.interp(slew, slews, column) for column in values.T])


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _energy(groups: list[_Group], load_f: float, units: _Units, library: _Group) -> float:
    found = []
    for group in groups:
        for table in group.groups:
            if table.kind in ("rise_power", "fall_power"):
                loads, values = _at_reference_slew(table, units, library)
                found.append(float(np.interp(load_f / units.capacitance, loads, values)) * units.energy)
    return _mean(found)


def _line(group: _Group, units: _Units, library: _Group) -> tuple[float, float]:
    """Intrinsic delay and slope: a least-squares line over the loads up to the middle one, rise and fall
    together."""
    fits = []
    for table in group.groups:
        if table.kind in ("cell_rise", "cell_fall"):
            loads, values = _at_reference_slew(table, units, library)
            if len(loads) < 2:
                fits.append((float(values[0]) * units.time, 0.0))
                continue
            used = max(2, (len(loads) + 1) // 2)
            slope, start = np.polyfit(loads[:used], values[:used], 1)
            fits.append((float(start) * units.time, float(slope) * units.time / units.capacitance))
    return _mean([fit[0] for fit in fits]), _mean([fit[1] for fit in fits])


def _nand2_input_f(library: _Group, units: _Units) -> float:
    """Input capacitance of the smallest two-input NAND, which sets the load at which energies are read."""
    found = []
    for group in library.all("cell"):
        pins = [p for p in group.groups if p.kind == "pin"]
        inputs = tuple(p.arguments[0] for p in pins if p.text("direction") == "input")
        functions = [p.text("function") for p in pins if p.text("function")]
        if (
            len(inputs) == 2
            and len(functions) == 1
            and not any(g.kind in ("ff", "latch") for g in group.groups)
        ):
            try:
                table = truth_table(functions[0], inputs)
            except ValueError:
                continue
            if table == (True, True, True, False):
                capacitance = _mean([p.number("capacitance") for p in pins if p.text("direction") == "input"])
                found.append((group.number("area"), capacitance * units.capacitance))
    if not found:
        raise LibertyError("Liberty text holds no two-input NAND; allowed is a library with one.")
    return min(found)[1]


def _cell(group: _Group, units: _Units, load_f: float, library: _Group) -> Cell | None:
    pins = {p.arguments[0]: p for p in group.all("pin")}
    inputs = {name: pin for name, pin in pins.items() if pin.text("direction") == "input"}
    outputs = {name: pin for name, pin in pins.items() if pin.text("direction") == "output"}
    flops = list(group.all("ff"))
    if (
        any(g.kind in ("latch", "bus", "bundle", "statetable", "test_cell") for g in group.groups)
        or not outputs
    ):
        return None
    if not inputs or any(not pin.text("function") or pin.text("three_state") for pin in outputs.values()):
        return None
    clock_pin = flops[0].text("clocked_on").strip("()!' ") if flops else ""
    if flops and clock_pin not in inputs:
        return None
    lines: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for name, pin in outputs.items():
        for timing in pin.all("timing"):
            related = timing.text("related_pin")
            if related in inputs and any(t.kind in ("cell_rise", "cell_fall") for t in timing.groups):
                lines.setdefault((related, name), []).append(_line(timing, units, library))
    setups = [
        _setup(table, units, library)
        for pin in inputs.values()
        for timing in pin.all("timing")
        if timing.text("timing_type").startswith("setup")
        for table in timing.groups
        if table.kind in ("rise_constraint", "fall_constraint")
    ]
    return Cell(
        name=group.arguments[0],
        area_um2=group.number("area"),
        leakage_w=_leakage(group) * units.leakage,
        input_capacitance_f={n: p.number("capacitance") * units.capacitance for n, p in inputs.items()},
        functions={name: pin.text("function") for name, pin in outputs.items()},
        switch_energy_j={
            name: _energy(
                # Of a flop only the transitions that its clock causes, not those of a set or reset.
                [
                    p
                    for p in pin.all("internal_power")
                    if p.text("related_pin", clock_pin) == clock_pin or not flops
                ],
                load_f,
                units,
                library,
            )
            for name, pin in outputs.items()
        },
        arcs=tuple(
            Arc(first, last, _mean([f[0] for f in fits]), _mean([f[1] for f in fits]))
            for (first, last), fits in lines.items()
        ),
        clock_pin=clock_pin,
        clock_edge_energy_j=_energy(list(inputs[clock_pin].all("internal_power")), load_f, units, library)
        if clock_pin
        else 0.0,
        setup_s=_mean(setups),
        next_state=flops[0].text("next_state") if flops else "",
        has_reset=any({"clear", "preset"} & flop.attributes.keys() for flop in flops),
    )


def _setup(group: _Group, units: _Units, library: _Group) -> float:
    """Setup time with clock and data both at the reference slew."""
    slew = REFERENCE_SLEW_S / units.time
    values = _numbers(group.attributes.get("values", ["0"]))
    for number in ("1", "2"):
        axis = _axis(group, library, number)
        if axis is not None:
            points = axis[1]
            values = np.array(
                [np.interp(slew, points, column) for column in values.reshape(len(points), -1).T]
            )
    return float(values[0]) * units.time


def _leakage(group: _Group) -> float:
    """The cell's stated leakage, or the mean of its leakage groups where it states none."""
    if "cell_leakage_power" in group.attributes:
        return group.number("cell_leakage_power")
    return _mean([leak.number("value") for leak in group.all("leakage_power")])
