"""What became of a placed engine, for the terminal."""

from __future__ import annotations

from functools import singledispatch

from rich.console import Group, RenderableType
from rich.text import Text

from archsim.layout_report import FpgaLayoutReport, LayoutReport
from reports import formatting as f
from reports.tables import Table


@singledispatch
def layout_tables(report: LayoutReport) -> RenderableType:
    """A report as tables; each fabric's own registers here."""
    raise NotImplementedError(type(report).__name__)


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
