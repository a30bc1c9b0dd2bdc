"""Memory macros read from the Liberty files of a memory compiler: what they state, and nothing guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from archsim.technology.liberty.boolean import truth_table
from archsim.technology.liberty.tables import CONSTRAINTS, DELAYS, ENERGIES, Tables, mean
from archsim.technology.liberty.text import Group, LibertyError, liberty_text, parse_liberty
from archsim.technology.memories.macro import OwnMacro
from workloads.refusal import Refusal

OUTPUT_LOAD_F = 1e-14
"""What a data output drives when its delay is read: 10 fF, four inputs of a small gate at 130 nm."""

ACCESSES = ("read", "write", "idle")
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_MOST_PINS = 12
_EDGES = (("rise_power", "power"), ("fall_power", "power"))


def read_macros(path: Path, conditions: Mapping[str, str], *, activity: float) -> tuple[OwnMacro, ...]:
    """The memories among the cells of a Liberty file; a cell without a `memory` group is none.

    A read or a write is the two edges of the clock under the `conditions` of that access (Liberty functions
    of the macro's pins, by `ACCESSES`), and besides the transitions of a share, `activity`, of the address
    and data pins. Where the clock's energy has no condition in the file it is that of either access. Raises
    LibertyError for a file that states no energy under a condition, or several energies without any.
    """
    library = parse_liberty(liberty_text(path))
    tables = Tables(library)
    default_w = library.number("default_cell_leakage_power")
    macros = []
    for cell in library.groups("cell"):
        memory = next(cell.groups("memory"), None)
        if memory is None:
            continue
        address_bits, word_bits = (_count(memory, f"{name}_width", cell) for name in ("address", "word"))
        figures = dict(_energies(cell, tables, conditions, activity)) | dict(_times(cell, tables))
        leakage_w = _leakage_w(cell, tables, default_w)
        if (area := cell.number("area")) is not None and area > 0:
            figures["area_mm2"] = area * 1e-6
        if leakage_w is not None:
            figures["leakage_w"] = leakage_w
        macros.append(
            OwnMacro(
                name=cell.name,
                words=2**address_bits,
                word_bits=word_bits,
                figures=figures,
                kind="published",
                source=f"{cell.name} of {path}",
                buses=_buses_of(cell),
            )
        )
    if not macros:
        raise LibertyError(f"file {path} holds no cell with a memory group, allowed is a library of macros")
    return tuple(macros)


def _count(memory: Group, name: str, cell: Group) -> int:
    value = memory.number(name)
    if value is None or value != int(value) or not 1 <= value <= (32 if "address" in name else 1 << 16):
        shown = "missing" if value is None else f"{value:g}"
        raise LibertyError(f"macro {cell.name}: {name} is {shown}, allowed is a whole number of bits")
    return int(value)


def _leakage_w(cell: Group, tables: Tables, default: float | None) -> float | None:
    stated = cell.number("cell_leakage_power")
    if stated is None and (by_state_w := tables.leakage_w(cell.groups("leakage_power"))) is not None:
        return by_state_w
    stated = default if stated is None else stated
    # A library without leakage at all says nothing by a default of zero.
    return stated * tables.leakage if stated else None


def everywhere(pin: Group, kind: str) -> Iterator[Group]:
    """The groups of a kind at a pin or bus, and at the pins inside a bus."""
    yield from pin.groups(kind)
    for inside in pin.groups("pin"):
        yield from inside.groups(kind)


def _energies(
    cell: Group, tables: Tables, conditions: Mapping[str, str], activity: float
) -> Iterator[tuple[str, float]]:
    clock = _clock(cell)
    powers = (
        [each for each in everywhere(clock, "internal_power") if any(each.groups(*ENERGIES))] if clock else []
    )
    if not powers:
        return
    stated = [when for power in powers if (when := power.text("when"))]
    if not conditions and stated:
        raise LibertyError(
            f"macro {cell.name}: its clock takes energies under {len(stated)} conditions ({stated[0]}, …), "
            "allowed are memories with read_when, write_when and idle_when, which name those of an access"
        )
    address, data_in, data_out = (_bus(cell, what) for what in ("address", "memory_write", "memory_read"))
    for access in ACCESSES:
        condition = conditions.get(access, "")
        if access == "idle" and not condition:
            continue
        energy_j = _cycle_j(_holding(powers, condition, cell), tables)
        if energy_j is None:
            raise LibertyError(
                f"macro {cell.name}: {access}_when is {condition!r}, under which its clock states no energy, "
                f"allowed is what holds together with one of: {'; '.join(stated[:4])}"
            )
        moving = {"read": (address, data_out), "write": (address, data_in), "idle": ()}[access]
        for bus in moving:
            energy_j += activity * _toggles_j(bus, condition, cell, tables) if bus else 0.0
        yield f"{access}_energy_j", energy_j


def _cycle_j(powers: Sequence[Group], tables: Tables) -> float | None:
    """Both edges of the clock, each the mean over the groups that state it."""
    edges = [tables.energy_j(powers, OUTPUT_LOAD_F, kinds) for kinds in _EDGES]
    return None if edges == [None, None] else sum(edge or 0.0 for edge in edges)


def _toggles_j(bus: Group, condition: str, cell: Group, tables: Tables) -> float:
    """A transition of every pin of a bus."""
    powers = _holding(list(everywhere(bus, "internal_power")), condition, cell)
    return _width(bus, cell) * (tables.energy_j(powers, OUTPUT_LOAD_F) or 0.0)


def _width(bus: Group, cell: Group) -> int:
    memory = next(cell.groups("memory"))
    is_address = bus is _bus(cell, "address")
    return _count(memory, "address_width" if is_address else "word_width", cell)


def _holding(powers: Sequence[Group], condition: str, cell: Group) -> list[Group]:
    """The groups whose condition can hold together with another one; without one they all can."""
    return [power for power in powers if _together(power.text("when"), condition, cell)]


def _together(first: str, second: str, cell: Group) -> bool:
    if not (first and second):
        return True
    names = sorted({*_NAME.findall(first), *_NAME.findall(second)})
    if len(names) > _MOST_PINS:
        raise LibertyError(f"macro {cell.name}: condition {first!r} has many pins, allowed are {_MOST_PINS}")
    try:
        return any(truth_table(f"({first})&({second})", names))
    except Refusal as refused:
        raise LibertyError(f"macro {cell.name}: condition {refused}") from None


def _buses(cell: Group) -> Iterator[Group]:
    return cell.groups("bus", "pin")


def _bus(cell: Group, what: str) -> Group | None:
    """The bus of the data that are read or written, as the file marks them, or that of their address."""
    if what != "address":
        return next((bus for bus in _buses(cell) if any(bus.groups(what))), None)
    for bus in _buses(cell):
        for access in bus.groups("memory_read", "memory_write"):
            if name := access.text("address"):
                return next((other for other in _buses(cell) if other.name == name), None)
    return None


def _buses_of(cell: Group) -> dict[str, str]:
    """The names of the buses that are known by what they carry."""
    carried = {
        "clock": _clock(cell),
        "address": _bus(cell, "address"),
        "data_in": _bus(cell, "memory_write"),
        "data_out": _bus(cell, "memory_read"),
    }
    return {what: bus.name for what, bus in carried.items() if bus is not None}


def _clock(cell: Group) -> Group | None:
    """The pin that clocks the data read or written; where the file does not say, the only clock."""
    clocks = {bus.name: bus for bus in _buses(cell) if bus.text("clock") == "true"}
    named = [access.text("clocked_on") for bus in _buses(cell) for access in bus.groups("memory_write")]
    data_out = _bus(cell, "memory_read")
    if data_out is not None:
        named = [timing.text("related_pin") for timing in everywhere(data_out, "timing")] + named
    return next((clocks[name] for name in named if name in clocks), None) or (
        next(iter(clocks.values())) if len(clocks) == 1 else None
    )


def access_s(output: Group, tables: Tables) -> float | None:
    """From the clock to the data, mean of rise and fall; None where nothing is stated."""
    lines = [tables.line(timing) for timing in everywhere(output, "timing") if any(timing.groups(*DELAYS))]
    return mean(start + slope * OUTPUT_LOAD_F for start, slope in lines) if lines else None


def setups_s(pin: Group, tables: Tables) -> Iterator[float]:
    """What a pin or bus needs before the clock, by every table that says so."""
    for timing in everywhere(pin, "timing"):
        if timing.text("timing_type").startswith("setup"):
            yield from (tables.constraint_s(table) for table in timing.groups(*CONSTRAINTS))


def _times(cell: Group, tables: Tables) -> Iterator[tuple[str, float]]:
    output, clock = _bus(cell, "memory_read"), _clock(cell)
    if output is not None and (access := access_s(output, tables)) is not None:
        yield "access_time_s", access
    related = [pin for pin in _buses(cell) if clock and _follows(pin, clock.name)]
    if setups := [setup for pin in related for setup in setups_s(pin, tables)]:
        yield "setup_s", max(0.0, *setups)


def _follows(pin: Group, clock: str) -> bool:
    return any(clock in timing.text("related_pin").split() for timing in everywhere(pin, "timing"))
