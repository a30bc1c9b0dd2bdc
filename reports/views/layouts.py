"""What became of a placed engine, for the terminal."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from archsim.costs.fidelity.layout import cell_layout_of
from archsim.layout_report import CellLayoutReport, FpgaLayoutReport, LayoutReport
from archsim.technology import StandardCells
from reports import formatting as f
from reports.tables import Table
from workloads.refusal import Refusal

if TYPE_CHECKING:
    from archsim.design import DesignPoint
    from archsim.layout import CellLayout


SHOWN = {
    "placement": (
        "{name}, placed: cells in the colours of their components, memories in grey, the longest path in "
        "yellow."
    ),
    "wires": "{name}: the wire on each square of the core. Where it is darkest a router would work hardest.",
}
"""What each picture shows of a design, for whoever sets it on a page."""


@singledispatch
def layout_tables(report: LayoutReport) -> RenderableType:
    """A report as tables; each fabric's own registers here. Raises a refusal for a fabric that has none."""
    raise Refusal(
        f"report is {type(report).__name__}, the tables of which are not known, allowed are reports of "
        "standard cells and FPGAs"
    )


@layout_tables.register
def _fpga(report: FpgaLayoutReport) -> Group:
    used = (
        (row.resource.upper(), row.used, row.available, row.used / row.available)
        for row in report.utilisation
    )
    columns = {"resource": "", "used": "count", "available": "count", "share": "share 1"}
    parts: list[RenderableType] = [Table(f"Placed and routed on {report.device}", columns, used), Text()]
    seeds = ((row.seed, row.fastest_hz, row.routing_share, row.routing_factor) for row in report.seeds)
    heads = {"seed": "", "fastest clock": "Hz", "routing": "share 1", "path over logic": "ratio"}
    parts += [Table("Seeds", heads, seeds), Text(), Text(_fastest(report), style="bold"), Text()]
    return Group(*parts, _path_table(report))


@layout_tables.register
def _cells(report: CellLayoutReport) -> Group:
    taken = (
        ("cells", report.cells_mm2),
        ("memories", report.memories_mm2),
        ("clock trees", report.clock_tree_mm2),
        ("repeaters", report.repeaters_mm2),
    )
    free_mm2 = report.core_mm2 - sum(area for _, area in taken)
    areas = (*taken, ("free and halos", free_mm2), ("core", report.core_mm2))
    size = f"{report.width_um:.0f} x {report.height_um:.0f} um"
    rows = ((name, area, area / report.core_mm2) for name, area in areas)
    title = (
        f"Placed in cells of {report.library}: a core of {size}, rows {f.percent(report.utilisation)} full"
    )
    core = Table(title, {"what": "", "area": "mm2", "share": "share 1"}, rows)
    figures = (
        ("cells, of which given another drive", f"{report.cells:,}, {report.resized:,}"),
        ("repeaters, memories", f"{report.repeaters:,}, {report.memories}"),
        ("wire", f"{f.scaled(report.wire_m, 'm')}, {report.um_per_sink:.1f} um a sink"),
        ("clock trees", f"{report.clock_buffers} buffers; {report.clock_factor:.2f} times their pins switch"),
        ("longest path, wires assumed", f.scaled(report.mapped_path_s, "s")),
        ("longest path, placed", f.scaled(report.critical_path_s, "s")),
    )
    told = Table("What it came to", {"what": "", "value": ""}, figures, words=2)
    clock = Text(f"Fastest clock: {f.scaled(report.fastest_hz, 'Hz')}", style="bold")
    stages = ((stage.rpartition(": ")[0], stage.rpartition(": ")[2]) for stage in report.critical_path)
    path = Table("Longest path", {"to": "", "arrives": ""}, stages, words=1)
    return Group(core, Text(), told, Text(), clock, Text(), path)


@singledispatch
def pictures(report: LayoutReport) -> dict[str, str]:
    """Pictures of a layout as SVG text, by the name of their file; none where places are not known."""
    return {}


@pictures.register
def _of_cells(report: CellLayoutReport) -> dict[str, str]:
    return {f"{name}.svg": svg for name, svg in _drawn(report.layout).items()}


def pictures_of(design: DesignPoint) -> dict[str, str]:
    """The same of a design point, which is placed if it was not before: the core, and its wires. None of an
    FPGA. Raises a refusal as `cell_layout_of` does."""
    technology = design.technology
    return _drawn(cell_layout_of(design.mapping, technology)) if isinstance(technology, StandardCells) else {}


def _drawn(layout: CellLayout) -> dict[str, str]:
    from reports.pictures.placement import density_picture, placement_picture

    return {"placement": placement_picture(layout), "wires": density_picture(layout)}


def _fastest(report: FpgaLayoutReport) -> str:
    clock = f"Fastest clock: {f.scaled(report.fastest_hz, 'Hz')}"
    if len(report.seeds) == 1:
        return clock
    return f"{clock}, the median of {len(report.seeds)} seeds; spread {f.percent(report.spread)}"


def _path_table(report: FpgaLayoutReport) -> Table:
    """The longest path with the time at the end of each stage."""
    rows, at_s = [], 0.0
    for stage in report.critical_path:
        at_s += stage.delay_s
        rows.append((stage.place, stage.kind, stage.delay_s, at_s))
    title = (
        f"Longest path, seed {report.median}: {f.scaled(report.critical_path_s, 's')}; the longest of logic "
        f"alone takes {f.scaled(report.logic_path_s, 's')}"
    )
    return Table(title, {"to": "", "through": "", "takes": "s", "arrives": "s"}, rows, words=2)
