"""Rebuilds the tables and pictures of the README and of docs from what the packages say: `make tables`.

A table stands between `<!-- NAME -->` and `<!-- end of NAME -->`; what is between is replaced.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from archsim.costs.metrics import metric_of
from reports.documentation.placed_tables import net_law, placed, placing_errors, placing_table, routing_table
from reports.documentation.trained_tables import other_ways_table, topology_claims
from reports.formatting import significant
from reports.tables import Table
from workloads.files import write_text

if TYPE_CHECKING:
    from archsim.calibration.calibrate import Error
    from reports.studies.csc_dac2019.map_view import Sheet
    from reports.write_up.report import Report

_BLOCK = re.compile(r"(<!-- ([a-z][a-z0-9 -]*) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)
WIDTH = 120
"""Of a line of prose."""

KINDS = {
    "measured": "measured here: netlists of our own Verilog",
    "published": "published",
    "fitted": "fitted here, the error stated",
    "assumed": "assumed",
}


def rebuilt(text: str, tables: Mapping[str, Callable[[], str | None]]) -> str:
    """The text with every named table that it holds made anew, but for those that cannot be made here (None).
    Raises KeyError for a name nobody makes."""

    def made(found: re.Match[str]) -> str:
        table = tables[found[2]]()
        return found[0] if table is None else f"{found[1]}{table}\n{found[3]}"

    return _BLOCK.sub(made, text)


def zoo_table() -> str:
    """The networks of the zoo."""
    from reports.views.results import network_table
    from workloads import load_network, zoo_names

    shown = network_table("", map(load_network, zoo_names())).markdown()
    return shown.replace("\N{NARROW NO-BREAK SPACE}", " ")


def error_tables() -> str:
    """The errors of the fits on netlists that they never saw."""
    from archsim.calibration.calibrate import held_out_errors
    from archsim.calibration.plan import PLANS
    from archsim.calibration.training import TITLES, held_out_training
    from archsim.costs.fidelity.estimate import logic_fit
    from archsim.technology import technology
    from rtl.engines.training.sizes import SUFFIXES

    fits: list[tuple[str, str, Callable[..., tuple[Error, ...]]]] = [("", "", held_out_errors)]
    for overlap, suffix in SUFFIXES.items():
        fits.append((f", {TITLES[overlap]}", suffix, partial(held_out_training, overlap=overlap)))
    parts = []
    for words, suffix, held_out in fits:
        for name in PLANS:
            counts = logic_fit(f"{name}{suffix}").constants
            fitted, unseen = (f"{counts[each]:.0f}" for each in ("netlists", "held_out_netlists"))
            title = f"{name}{words}: {fitted} netlists fitted, {unseen} held out"
            columns = {title: "", "mean": "share 1", "worst": "share 1", "at": ""}
            rows = map(_error_row, held_out(technology(name)))
            parts.append(Table("", columns, (row for row in rows if row[0])).markdown())
    return "\n\n".join(parts)


def _error_row(error: Error) -> tuple[Any, ...]:
    at = re.sub(r" \([^)]*\)$", "", error.worst_case) if error.worst else ""
    return metric_of(error.metric).fitted, error.mean, error.worst, at


def memory_table() -> str:
    """Real memories over the model, both at 65 nm: the macros of a foundry, scaled, and what else was
    published."""
    from archsim.technology import Cmos65
    from archsim.technology.asic.scaling import factors, process
    from archsim.technology.memories.bracket import BRACKET_TABLE, FOUNDRY
    from archsim.technology.quantity import load_table

    source, target = process(130), process(65)
    by = factors(source, source.nominal_v, target, target.nominal_v)
    shown = (
        ("area, mm²", "area_mm2", 1.0, by.area),
        ("read, pJ", "read_energy_j", 1e12, by.energy),
        ("write, pJ", "write_energy_j", 1e12, by.energy),
        ("leakage, nW", "leakage_w", 1e9, by.leakage),
        ("access, ns", "access_time_s", 1e9, by.delay),
    )
    rows = []
    for row in load_table(BRACKET_TABLE).rows:
        memory = Cmos65().memory(words=row["words"], word_bits=row["word_bits"])
        cells = [f"{row['evidence']}, {row['words']} × {row['word_bits']}"]
        for _, name, per, factor in shown:
            model, ratio = getattr(memory, name), row[f"{name}_ratio"]
            if ratio is None:
                cells.append("—")
                continue
            real = row[f"model_{name}"] * ratio * (factor if row["evidence"] == FOUNDRY else 1)
            numbers = (real * per, model * per, real / model)
            cells.append("{} / {} = {}".format(*map(significant, numbers)))
        rows.append(cells)
    return Table("", {"memory": "", **{title: "" for title, *_ in shown}}, rows, words=6).markdown()


def number_table() -> str:
    """Every number that enters a cost, by kind: what it is, how many, where it stands."""
    from archsim.technology.quantity import all_quantities, load_quantities, title_of

    counts: Counter[tuple[str, str]] = Counter()
    for name, quantity in all_quantities().items():
        counts[quantity.kind, name.partition(":")[0]] += 1
    rows = []
    for kind, heading in KINDS.items():
        for (of_kind, file), number in sorted(counts.items(), key=lambda item: -item[1]):
            if of_kind != kind:
                continue
            described = file.removesuffix(".csv").removesuffix(".yaml") + ".yaml"
            title = title_of(described)
            if kind == "assumed" and file.endswith(".yaml"):
                names = (name for name, each in load_quantities(file).items() if each.kind == kind)
                title += f": {', '.join(f'`{name}`' for name in names)}"
            rows.append((heading, title, f"`{file}`", number))
    columns = {"kind": "", "what": "", "file in `archsim/technology/data`": "", "numbers": "count"}
    return Table("", columns, rows, words=3).markdown()


def cell_table() -> str:
    """The same circuits on the project's cells and on real ones, and published energies, scaled to 65 nm."""
    from archsim.calibration.real_cells import comparison

    columns = {
        "scaled to 65 nm, 1.2 V": "",
        "on": "",
        "gate equivalents": "count",
        "critical path": "s",
        "energy": "J",
        "energy with glitches": "J",
        "clock": "J",
    }
    rows = (tuple(vars(each).values()) for each in sorted(comparison(), key=lambda each: each.circuit))
    return Table("", columns, rows, words=2).markdown().replace("\N{NARROW NO-BREAK SPACE}", " ")


@cache
def _comparison() -> Report:
    from reports.studies import studies

    return studies["csc-dac2019"](with_map=True)


def engine_sections() -> str:
    """Every engine with its block diagram."""
    from reports.diagram.pages import engine_sections

    return engine_sections()


def gathers() -> str:
    """Cycles and reads of each way to gather activations."""
    from reports.documentation.gathers import gather_table

    return gather_table()


def zero_table() -> str:
    """What activations that are zero would spare the engines that march in step."""
    from reports.documentation.zeros import zero_table

    return zero_table()


def flag_table() -> str:
    """What it would take to look ahead for them in strided blocks."""
    from reports.documentation.zero_flags import flag_table

    return flag_table()


def performance_table() -> str:
    """What a run of the benchmarks measured."""
    run = json.loads(PERFORMANCE.read_text(encoding="utf-8"))
    shown = Table(
        "",
        {"what": "", "case": "", "least time": "s", "rounds": "count", "points a second": "number"},
        (
            (
                row["group"],
                row["case"],
                row["minimum_s"],
                row["rounds"],
                row.get("points_per_s"),
            )
            for row in run["figures"]
            if "cells" not in row
        ),
        words=2,
    )
    about = (
        f"archsim {run['archsim']}, Python {run['python']}, {run['processor']} with {run['cores']} cores at "
        f"a load of {run['load']:g}, {run['date']}:"
    )
    text = "\n\n".join([about, shown.markdown(), *placed(run)])
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ")


def _tables(*beginnings: str) -> list[Table]:
    """The first table of the CSC comparison whose name begins so, for each of these of which there is one."""
    named = [table for section in _comparison().sections for table in section.tables]
    found = (next((one for one in named if one.name.startswith(begins)), None) for begins in beginnings)
    return [table for table in found if table is not None]


def _titled(tables: Iterable[Table]) -> str:
    return "\n\n".join(f"{table.title}:\n\n{table.markdown()}" for table in tables)


def state() -> str:
    """Where the question of the comparison stands, in words with figures."""
    return fill(_comparison().finding, WIDTH, break_long_words=False, break_on_hyphens=False)


def bits_tables() -> str:
    """Networks at equal bits stored, with narrow weights, beside equal weights and equal accuracy."""
    return _titled(_tables("what-is-equal", "equal-bits", "free-widths"))


def map_section() -> str:
    """Who wins over PEs and bits: the drawings, how often a design with an index takes less, and accuracy by
    bits."""
    rows: dict[str, list[str]] = {}
    for file, (sheets, _) in maps().items():
        told = (f"{one.shown} less at {one.won} of {len(one.counted)} places" for one in sheets)
        where = f"{sheets[0].place}, {sheets[0].compression:.1f}×, {sheets[0].basis}"
        rows.setdefault(sheets[0].place, []).append(
            f"![{where}, with an index ÷ without: {', '.join(told)}]({file})"
        )
    tables = _titled(_tables("map-turns", "map-accuracy")).replace("\N{NARROW NO-BREAK SPACE}", " ")
    return "\n\n".join([*("\n".join(row) for row in rows.values()), tables])


@cache
def maps() -> dict[str, tuple[list[Sheet], str]]:
    """The drawings of the map, narrow enough for a phone, by file, as sheets and as SVG text on white."""
    from reports.studies.csc_dac2019.map_view import small_charts
    from reports.studies.csc_dac2019.ratio_map import meetings, search_map

    drawn = small_charts(meetings(search_map()))
    return {f"{name}.svg": (sheets, _on_white(svg)) for name, (sheets, svg) in drawn.items()}


def accuracy_table() -> str:
    """The pairs of networks that are equally accurate, in the first technology."""
    return _tables("equal-accuracy-")[0].markdown()


def cost_table() -> str:
    """The costs of the CSC comparison in the first technology, at the first compression."""
    return _tables("costs-")[0].markdown()


def picture() -> str:
    """Where the energy goes in the designs of equally many weights, on white, as SVG text."""
    charts = (chart for section in _comparison().sections for chart in section.charts)
    svg = next(chart.svg for chart in charts if "energy of one inference by component" in chart.caption)
    return _on_white(svg)


def _on_white(svg: str) -> str:
    head, rest = svg.split(">", 1)
    return f'{head}>\n<rect width="100%" height="100%" fill="#ffffff"/>{rest}'


def equal_accuracy_tables() -> str:
    """Networks of equal accuracy in both technologies, and what each design takes."""
    kinds = ("equal-accuracy", "near-ties", "mapped")
    return _titled(_tables(*(f"{kind}-{place}" for place in ("cmos65", "artix7") for kind in kinds)))


def comparison_tables() -> str:
    """The costs of designs of equally many weights, and the claims."""
    report = _comparison()
    claims = Table(
        "",
        ("claim", "where", "against", "measured", "verdict"),
        ((c.claim, c.where, c.baseline, c.measured, c.verdict) for c in report.claims),
        words=5,
    )
    costs = [table.name for section in report.sections for table in section.tables if "costs-" in table.name]
    shown = (*costs, "equal-data-", "own-clock-cmos65", "own-clock-artix7", "devices")
    return "\n\n".join([_titled(_tables(*shown)), claims.markdown()])


def real_process_tables() -> str | None:
    """The CSC comparison on a whole real process, beside what 65 nm predicts of it; None where the folder of
    the process is not at hand."""
    folder = os.environ.get("ARCHSIM_IHP_PDK")
    if not folder:
        return None
    from reports.studies.csc_dac2019.own_technology import on_technology

    with TemporaryDirectory() as room:
        (Path(room) / "ihp-sg13g2").symlink_to(Path(folder).resolve())
        file = Path(room) / REAL_PROCESS.name
        write_text(file, REAL_PROCESS.read_text(encoding="utf-8"))
        report = on_technology(file)
    shown = ("predicted", "equal-accuracy", "costs-0", "costs-1", "equal-data-0")
    named = {table.name: table for section in report.sections for table in section.tables}
    claims = Table(
        "",
        ("claim", "against", "measured", "verdict"),
        ((c.claim, c.baseline, c.measured, c.verdict) for c in report.claims),
        words=4,
    )
    return "\n\n".join([_titled(named[name] for name in shown), claims.markdown()])


REAL_PROCESS = Path(__file__).parents[2] / "examples" / "own_process" / "ihp-sg13g2.yaml"
"""A design file in a process that is real as a whole, beside which its files are looked for."""

PERFORMANCE = Path(__file__).parents[2] / "docs" / "performance.json"
"""Figures of a run of the benchmarks, which `make bench` keeps."""

TABLES: Mapping[str, Callable[[], str | None]] = {
    "networks": zoo_table,
    "baselines": other_ways_table,
    "errors": error_tables,
    "numbers": number_table,
    "memories": memory_table,
    "cells": cell_table,
    "placing": placing_table,
    "placing errors": placing_errors,
    "routing": routing_table,
    "net law": net_law,
    "state": state,
    "bits": bits_tables,
    "map": map_section,
    "accuracy": accuracy_table,
    "costs": cost_table,
    "equal-accuracy": equal_accuracy_tables,
    "comparison": comparison_tables,
    "real-process": real_process_tables,
    "topologies": topology_claims,
    "engines": engine_sections,
    "gathers": gathers,
    "zeros": zero_table,
    "zero-flags": flag_table,
    "performance": performance_table,
}
PICTURE = "comparison.svg"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(folder: Path) -> None:
    """Rebuild the tables of README.md and docs in FOLDER, and the pictures."""
    from reports.diagram.pages import FOLDER, drawings
    from reports.site.worked import PAGES, refreshed

    for file in (folder / "README.md", *sorted((folder / "docs").glob("*.md"))):
        write_text(file, rebuilt(file.read_text(encoding="utf-8"), TABLES))
    for name, drawing in {PICTURE: picture(), **{file: svg for file, (_, svg) in maps().items()}}.items():
        write_text(folder / "docs" / name, drawing)
    for name, drawing in drawings().items():
        write_text(folder / "docs" / FOLDER / name, drawing)
    for page in PAGES:
        file = folder / "docs" / page
        with TemporaryDirectory() as room:
            write_text(file, refreshed(file.read_text(encoding="utf-8"), Path(room)))


if __name__ == "__main__":
    main()
