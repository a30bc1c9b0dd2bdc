"""The cells of a library as one Liberty text for Yosys: what was read is what is mapped.

Readers of Liberty differ: in the spellings they take, in which of two equal attributes counts, in how tightly
an exclusive or binds, in whether several files may have units of their own. So Yosys is not given the user's
files but this text: one set of units, every name bare and every function in quotes and in brackets
throughout, tables over slew and load alone with their own axes, and nothing that no mapper asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from archsim.technology.liberty.boolean import plain
from archsim.technology.liberty.cell_library import Cell
from archsim.technology.liberty.cell_reader import pins, timings
from archsim.technology.liberty.tables import DELAYS, TRANSITIONS, Floats, Tables
from archsim.technology.liberty.text import Attribute, Group, write_liberty

_TIME_S, _CAPACITANCE_F = 1e-9, 1e-12
_HEADER = (
    Attribute("delay_model", ("table_lookup",)),
    Attribute("time_unit", ('"1ns"',)),
    Attribute("voltage_unit", ('"1V"',)),
    Attribute("current_unit", ('"1mA"',)),
    Attribute("pulling_resistance_unit", ('"1kohm"',)),
    Attribute("leakage_power_unit", ('"1nW"',)),
    Attribute("capacitive_load_unit", ("1", "pf"), in_brackets=True),
)
_LIMITS = {"max_capacitance": "capacitance", "max_transition": "time"}
_SENSES = ("positive_unate", "negative_unate", "non_unate")


class NormalForm:
    """Collects cells, and writes them."""

    def __init__(self) -> None:
        self._templates: dict[tuple[tuple[float, ...], tuple[float, ...]], str] = {}
        self._cells: dict[str, Group] = {}

    def add(self, group: Group, cell: Cell, tables: Tables) -> None:
        """A cell that was read from a group, with the tables of its library."""
        self._cells[cell.name] = Group("cell", (cell.name,), tuple(self._cell(group, cell, tables)))

    def text(self, name: str, supply_v: float) -> str:
        """All of it as a library of this name."""
        templates = (self._template(template, *axes) for axes, template in self._templates.items())
        supply = Attribute("nom_voltage", (_number(supply_v),))
        return write_liberty(
            Group("library", (_word(name),), (*_HEADER, supply, *templates, *self._cells.values()))
        )

    def _template(self, name: str, slews: Sequence[float], loads: Sequence[float]) -> Group:
        variables = ("input_net_transition", "total_output_net_capacitance")
        named = (Attribute(f"variable_{place}", (variable,)) for place, variable in enumerate(variables, 1))
        return Group("lu_table_template", (name,), (*named, *_axes(slews, loads)))

    def _cell(self, group: Group, cell: Cell, tables: Tables) -> Iterator[Attribute | Group]:
        yield Attribute("area", (_number(cell.area_um2),))
        if cell.kind == "clock gate":
            # Only who asks for it by its name places it.
            yield Attribute("dont_use", ("true",))
        if cell.is_flop:
            yield Group("ff", cell.state_names, tuple(_flop(cell)))
        if cell.kind == "latch":
            kept = (
                ("enable", cell.clock_pin),
                ("data_in", plain(cell.next_state, tuple(cell.input_capacitance_f))),
            )
            yield Group("latch", cell.state_names, tuple(_quoted(*each) for each in kept))
        inputs, outputs = pins(group, "input"), pins(group, "output")
        for name, capacitance_f in cell.input_capacitance_f.items():
            clock = [Attribute("clock", ("true",))] if name == cell.clock_pin else []
            stated = Attribute("capacitance", (_number(capacitance_f / _CAPACITANCE_F),))
            direction = Attribute("direction", ("input",))
            yield Group("pin", (name,), (direction, *clock, stated, *_limits(inputs[name], tables)))
        for name, pin in outputs.items():
            yield Group("pin", (name,), tuple(self._output(name, pin, cell, tables)))

    def _output(self, name: str, pin: Group, cell: Cell, tables: Tables) -> Iterator[Attribute | Group]:
        yield Attribute("direction", ("output",))
        yield from _limits(pin, tables)
        if cell.kind == "clock gate":
            return
        names = cell.state_names or tuple(cell.input_capacitance_f)
        yield _quoted("function", plain(cell.functions[name], names))
        # Nothing that Yosys runs asks for the delays of what keeps a state.
        for timing in timings(pin, sequential=False) if cell.is_gate else ():
            for related in timing.text("related_pin").split():
                if related in cell.input_capacitance_f:
                    yield Group("timing", (), tuple(self._timing(related, timing, tables)))

    def _timing(self, related: str, timing: Group, tables: Tables) -> Iterator[Attribute | Group]:
        yield _quoted("related_pin", related)
        if (sense := timing.text("timing_sense")) in _SENSES:
            yield Attribute("timing_sense", (sense,))
        for table in timing.groups(*DELAYS, *TRANSITIONS):
            slews_s, loads_f, values_s = tables.over_slew_and_load(table)
            slews, loads = slews_s / _TIME_S, loads_f / _CAPACITANCE_F
            axes = tuple(slews.tolist()), tuple(loads.tolist())
            template = self._templates.setdefault(axes, f"times_{len(self._templates)}")
            rows = tuple(_row(row) for row in values_s / _TIME_S)
            yield Group(
                table.kind, (template,), (*_axes(slews, loads), Attribute("values", rows, in_brackets=True))
            )


def _flop(cell: Cell) -> Iterator[Attribute]:
    inputs = tuple(cell.input_capacitance_f)
    yield _quoted("clocked_on", cell.clock_pin)
    yield _quoted("next_state", plain(cell.next_state, (*inputs, *cell.state_names)))
    for name, function in (("clear", cell.clear), ("preset", cell.preset)):
        if function:
            yield _quoted(name, plain(function, inputs))


def _limits(pin: Group, tables: Tables) -> Iterator[Attribute]:
    """What a pin may drive, and how slowly it may change, as far as its library says."""
    scales = {"capacitance": tables.capacitance / _CAPACITANCE_F, "time": tables.time / _TIME_S}
    for name, kind in _LIMITS.items():
        if (limit := pin.number(name)) is not None:
            yield Attribute(name, (_number(limit * scales[kind]),))


def _axes(slews: Iterable[float], loads: Iterable[float]) -> Iterator[Attribute]:
    for place, points in enumerate((slews, loads), 1):
        yield Attribute(f"index_{place}", (_row(points),), in_brackets=True)


def _row(numbers: Iterable[float] | Floats) -> str:
    return '"' + ", ".join(_number(float(number)) for number in numbers) + '"'


def _number(value: float) -> str:
    """A number to nine digits, which is more than any library states, and hides what rescaling rounds."""
    return np.format_float_positional(float(f"{value:.9g}"), trim="-")


def _quoted(name: str, value: str) -> Attribute:
    return Attribute(name, (f'"{value}"',))


def _word(name: str) -> str:
    """A name that stands without quotes, of letters, digits and lines below."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name) or "library"
