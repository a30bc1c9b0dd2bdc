"""Puts the reproduction of EIE together: predictions beside published figures, and the words for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports import formatting as f
from reports.claims import Claim, MatchRule
from reports.prediction_chart import chart
from reports.predictions import (
    GROUNDS,
    PREDICTION_HEADS,
    Prediction,
    assumed,
    claim,
    farthest,
    prediction_table,
    stated_assumptions,
    tally,
)
from reports.report import Assumption, Report, Section
from reports.studies.eie_isca2016.element import MODULES
from reports.studies.eie_isca2016.figures import MODULE_OF, NAME, Measured
from reports.studies.eie_isca2016.rows import FITTED_FROM, chip_rows, module_rows, type_rows
from reports.tables import Cell, Column, Table
from rtl.parts.eie_pe import EiePeSizes

FITTED = "clock_network_factor"
"""The constant of the technology that was chosen by a published figure of this design."""
LIMITS = (
    "The element's own latencies are not predicted here: they need a model of the broadcast and its queues, "
    "which comes later. Frames a second are the published ones.",
    "Switching is counted without the glitches that delays make, which would add to the power of the gates.",
    "The units that look for non-zero activations between the elements are taken as published.",
)


def write_up(measured: Measured, content: Mapping[str, Any]) -> Report:
    """The report. `content` is the study's data file."""
    types, modules, chip = (rows(measured, content) for rows in (type_rows, module_rows, chip_rows))
    rows = (*types, *modules, *chip)
    rule = MatchRule(**content["rule"])
    assumptions = (*stated_assumptions(content), *_technology_assumptions())
    return Report(
        name=NAME,
        title="EIE: area and power of an element and of the chip",
        question=(
            "Do the project's cells and memories, taken to 45 nm, arrive at the published area and power of "
            "an accelerator?"
        ),
        setup=_setup(measured, content),
        citation=" ".join(content["citation"].split()),
        summary=tuple(_summary(measured, rows)),
        sections=(
            Section(
                "One element by type of component",
                tables=(prediction_table("types", "Table II of the paper, by type", "part", types),),
                charts=(chart("types", types),),
            ),
            Section(
                "One element by module",
                paragraphs=(
                    "A module counts its memory and its share of the clock. Where the clock is "
                    f"{f.percent(FITTED_FROM, 0)} or more of its power, the row counts as partly fitted.",
                ),
                tables=(
                    prediction_table("modules", "Table II of the paper, by module", "module", modules),
                    _logic_table(measured),
                ),
                charts=(chart("modules", modules),),
            ),
            Section(
                "Sixty-four elements",
                tables=(
                    prediction_table("chip", "Table V of the paper, and the longest path", "part", chip),
                ),
            ),
            Section(
                "How much the choices matter",
                tables=(_memory_table(measured, content), _rate_table(measured)),
            ),
        ),
        claims=tuple(_claims(types, [row for row in modules if row.figure == "power"], chip, content, rule)),
        rule=f"Rule: {rule}. {assumed(stated_assumptions(content))}",
        limits=(
            f"How the published figures were read: {' '.join(content['how_read'].split())}.",
            _made(content),
            _reach(content),
            *LIMITS,
        ),
        assumptions=assumptions,
        designs={},
        command=f"archsim reproduce {NAME}",
        figures={
            "study": NAME,
            "predictions": [row.plain() for row in rows],
            "element": vars(measured.element)
            | {"modules": {name: vars(each) for name, each in measured.element.modules.items()}},
            "srams": {
                device: {name: vars(sram) for name, sram in srams.items()}
                for device, srams in measured.srams.items()
            },
            "accesses_per_cycle": {name: vars(rates) for name, rates in measured.rates.items()},
        },
        claim_heads=PREDICTION_HEADS,
        grounds=GROUNDS,
    )


def _setup(measured: Measured, content: Mapping[str, Any]) -> str:
    chip, technology = content["architecture"], content["technology"]
    flops = sum(module.flops for module in measured.element.modules.values())
    octets = sum(chip[f"{memory}_sram_byte"] for memory in ("entry", "pointer", "activation"))
    return (
        f"{chip['elements']} elements at {f.scaled(technology['clock_hz'], 'Hz')} in "
        f"{technology['process']}, each with {octets // 1024} KB of SRAM. The logic is a description of ours "
        f"with {f.count(flops)} flops, mapped by Yosys to the project's 65 nm cells and taken to 45 nm; it "
        f"worked off random columns for {f.count(measured.element.cycles)} cycles, in which every toggle was "
        "counted. Memories are CACTI's at 45 nm."
    )


def _made(content: Mapping[str, Any]) -> str:
    """How the published element was made, and what of it has no counterpart."""
    parts, whole = content["by_type"], content["element"]["area_mm2"]
    clock, filler = (f.percent(parts[name]["area_mm2"] / whole) for name in ("clock network", "filler cell"))
    return (
        "The published element was synthesised, placed and routed by commercial tools in a foundry's "
        f"process, at its {content['technology']['corner']} corner. Here it is described anew, mapped to "
        f"cells of one drive strength, not placed, at a typical corner; clock buffers ({clock} of the "
        f"published area) and filler cells ({filler}) have no counterpart."
    )


def _reach(content: Mapping[str, Any]) -> str:
    """What the published widths leave open."""
    chip, sizes = content["architecture"], EiePeSizes()
    reached = (1 << chip["pointer_bits"]) * sizes.entry_bits // 8
    return (
        f"Pointers of {chip['pointer_bits']} bits reach {reached // 1024} KB of entries, the published SRAM "
        f"has {chip['entry_sram_byte'] // 1024} KB. It is priced whole; how its rest is reached is not "
        "stated."
    )


def _technology_assumptions() -> tuple[Assumption, ...]:
    """What the project's own technology assumes and these figures rest on."""
    from archsim.technology.asic.cmos65 import CONSTANTS
    from archsim.technology.quantity import load_quantities

    used = {FITTED: "clock network factor", "wire_length_um_per_sink": "wire for each sink, µm"}
    constants = load_quantities(CONSTANTS)
    return tuple(
        Assumption(
            name=label,
            # Its source says so: it was chosen by the clock network of this very design.
            value=f"{constants[name].value:g} ({'fitted' if name == FITTED else constants[name].kind})",
            source=" ".join(constants[name].source.split()),
        )
        for name, label in used.items()
    )


# Other tables.


def _logic_table(measured: Measured) -> Table:
    rows = []
    for name in MODULES:
        part = measured.element.modules[name]
        energies = (part.clock_j, part.registers_j, part.gates_j)
        powers = (energy * measured.clock_hz for energy in energies)
        rows.append((name, part.flops, part.register_mm2, part.gates_mm2, *powers))
    return Table(
        "The logic of the described element, memories apart",
        (
            "module",
            Column("flops", "count"),
            Column("area of flops", "mm2"),
            Column("of gates", "mm2"),
            Column("power of the clock", "W"),
            Column("of flops", "W"),
            Column("of gates", "W"),
        ),
        rows,
        name="logic",
        note="Leakage and glitches are left out.",
    )


def _memory_table(measured: Measured, content: Mapping[str, Any]) -> Table:
    said = content["by_type"]["memory"]
    rows = []
    for device in measured.srams:
        cost, srams = measured.memories(device), measured.srams[device]
        leakage_w = sum(sram.number * sram.leakage_w for sram in srams.values())
        access = (srams[name].access_time_s for name in MODULE_OF)
        shares = (cost.area_mm2 / said["area_mm2"], cost.power_w / said["power_w"])
        beside = (Cell(share - 1, f.percent(share, 0)) for share in shares)
        rows.append((device, cost.area_mm2, cost.power_w, leakage_w, *access, *beside))
    return Table(
        "The element's memories with each of CACTI's devices at 45 nm",
        (
            "device",
            Column("area", "mm2"),
            Column("power", "W"),
            Column("of which leakage", "W"),
            *(Column(f"access, {name}", "s") for name in MODULE_OF),
            Column("area of published", "share"),
            Column("power of published", "share"),
        ),
        rows,
        name="memories",
        marked={list(measured.srams).index(measured.cell_type)},
        note="The marked device was chosen by access time and leakage alone, see the assumptions.",
    )


def _rate_table(measured: Measured) -> Table:
    lines = []
    for name, own in measured.own_rates.items():
        number = measured.srams[measured.cell_type][name].number
        for label, rates in (("as predicted", measured.rates[name]), ("as the described element reads", own)):
            power = measured.memory(name, rates=rates).power_w
            lines.append((name, label, 1 / (rates.reads / number), power))
    return Table(
        "The power of a memory, and how often it is read",
        ("memory", "rate", Column("cycles a read", "number", 1), Column("power", "W")),
        lines,
        name="rates",
        words=2,
    )


# Words.


def _summary(measured: Measured, rows: Sequence[Prediction]) -> Iterator[str]:
    yield tally(rows)
    of = {(row.place, row.figure): row for row in rows}
    for figure in ("area", "power"):
        memory, element = of["memory", figure], of["element", figure]
        yield (
            f"{figure.capitalize()} of the element: {element.shown_predicted} beside "
            f"{element.shown_published} ({element.shown_difference}), of which memory "
            f"{memory.shown_predicted} beside {memory.shown_published} ({memory.shown_difference})."
        )
    spmat, pointers = of["spmat_read", "power"], of["ptr_read", "power"]
    if spmat.difference * pointers.difference < 0 and abs(of["memory", "power"].difference) < min(
        abs(spmat.difference), abs(pointers.difference)
    ):
        yield (
            "That the power of the memories comes out so near is two errors that cancel: spmat_read lies at "
            f"{spmat.shown_difference} and ptr_read at {pointers.shown_difference}."
        )
    clock = of["clock network", "power"]
    yield f"The clock network lies at {clock.shown_difference}: {clock.why or 'it was fitted to it'}."
    worst = farthest(rows)
    yield f"The farthest off, {worst.name} at {worst.shown_difference}: {worst.why}."


def _claims(
    types: Sequence[Prediction],
    modules: Sequence[Prediction],
    chip: Sequence[Prediction],
    content: Mapping[str, Any],
    rule: MatchRule,
) -> Iterator[Claim]:
    elements = content["architecture"]["elements"]
    wanted = {
        ("memory", "area"): "the area of an element's memories",
        ("memory", "power"): "the power of an element's memories",
        ("element", "area"): "the area of an element",
        ("element", "power"): "the power of an element",
        ("element without clock network", "power"): "the power of an element, clock network apart",
        (f"{elements} elements", "area"): "the area of the chip",
        (f"{elements} elements", "power"): "the power of the chip",
        ("element", "longest path through logic"): "the clock that the logic allows",
    }
    said, powers = content["by_type"], {row.place: row for row in types if row.figure == "power"}
    parts = {
        ("memory", "power"): [row for row in modules if row.place in ("spmat_read", "ptr_read")],
        ("element", "power"): [powers[name] for name in said if name in powers],
        ("element without clock network", "power"): [
            powers[name] for name in said if name in powers and name != "clock network"
        ],
    }
    for row in (*types, *chip):
        if (row.place, row.figure) in wanted:
            made_of = parts.get((row.place, row.figure), [])
            other = ", ".join(f"{part.place} {part.shown_difference}" for part in made_of)
            yield claim(
                row,
                text=wanted[row.place, row.figure],
                where="one element" if row.place != f"{elements} elements" else row.place,
                rule=rule,
                other=other or "—",
            )
