"""Commands that cost a design point: simulate, compare, verify, explain, netlist, draw, export, schema."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reports.cli.group import Known, ListingCommand, answer, fidelity_option, json_option, main, where_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from archsim import DesignPoint, Result
    from archsim.explore.point import Point

T = TypeVar("T")


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@fidelity_option("cycle")
@json_option
def simulate(design: Path, fidelity: str, as_json: bool) -> None:
    """Cost one design point.

    Power follows the data: `inputs` in the DESIGN names a file of them; without it the samples in the
    network's file are run.
    """
    from reports.views.results import result_tables

    result = _simulated(design, fidelity)
    answer(as_json, result.to_dict, lambda: result_tables(result))


@main.command()
@click.argument("designs", type=click.Path(path_type=Path), nargs=-1, required=True)
@fidelity_option("cycle")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for CSV, Markdown and JSON of all points."
)
@click.option(
    "--explain", metavar="METRIC", help="Show what each component adds from the first to each other."
)
@where_option
@json_option
def compare(
    designs: tuple[Path, ...],
    fidelity: str,
    out: Path | None,
    explain: str | None,
    where: tuple[str, ...],
    as_json: bool,
) -> None:
    """Cost several design points, with ratios to the first: what tells them apart, and what cannot be
    compared.

    DESIGNS are design files; files of `simulate --json` and folders of sweeps are compared as they are.
    """
    from rich.console import Group

    from reports.points import beside
    from reports.progress import progress
    from reports.views.compared import comparison_tables, comparison_values

    with progress():
        results, points = _beside(designs, fidelity, where)
    steps = beside.waterfalls(points, explain)
    if out is not None:
        beside.write_beside(points, steps, out)

    def plain() -> dict[str, Any]:
        if not results:
            return beside.values(points, steps)
        told = comparison_values(results)
        return told | ({"waterfalls": [step.plain() for step in steps]} if explain else {})

    def shown() -> RenderableType:
        if results:
            return Group(comparison_tables(results), *beside.step_tables(steps, points))
        told = beside.table(points)
        return Group(told, *([told.note] if told.note else []), *beside.step_tables(steps, points))

    answer(as_json, plain, shown)


def _beside(sources: Sequence[Path], fidelity: str, where: Sequence[str]) -> tuple[list[Result], list[Point]]:
    """The results of design files and their points; of other sources, and where conditions are to hold, only
    points."""
    from archsim import DesignPoint
    from archsim.explore.gather import gather, points_of

    if where or any(source.suffix not in (".yaml", ".yml") for source in sources):
        return [], gather(sources, fidelity, where=where)
    designs = [DesignPoint.from_file(source) for source in sources]
    results = [design.simulate(fidelity) for design in designs]
    return results, points_of(results, [str(source) for source in sources])


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@click.option(
    "--inputs", default=1, show_default=True, type=click.IntRange(1), help="How many inputs to run."
)
@json_option
def verify(design: Path, inputs: int, as_json: bool) -> int:
    """Ask every fidelity the same, and compare: cycles, traffic and outputs must be equal.

    The exit status is 1 where they are not.
    """
    from dataclasses import asdict

    from archsim import DesignPoint
    from archsim.verification import verify as verify_mapping
    from reports.views.results import verification_tables

    checked = verify_mapping(DesignPoint.from_file(design).mapping, inputs=inputs)
    answer(
        as_json, lambda: {"agrees": checked.agrees, **asdict(checked)}, lambda: verification_tables(checked)
    )
    return 0 if checked.agrees else 1


def _metrics() -> Iterable[str]:
    """What can be a sum of terms: costs, and what the FPGAs have a number of."""
    from archsim import METRICS, technologies
    from archsim.technology import Fpga

    counted = (kind.counted for kind in technologies.values() if issubclass(kind, Fpga))
    return dict.fromkeys([*(name for name in METRICS if METRICS[name].summed), *itertools.chain(*counted)])


@main.command(cls=ListingCommand)
@click.argument("design", type=click.Path(path_type=Path))
@click.argument("metric", type=Known(_metrics))
@fidelity_option("cycle")
@json_option
def explain(design: Path, metric: str, fidelity: str, as_json: bool) -> None:
    """Show the sum behind a number: count times unit cost, term by term, each with its kind and source."""
    from reports.views.results import explanation, explanation_values

    result = _simulated(design, fidelity)
    answer(as_json, lambda: explanation_values(result, metric), lambda: explanation(result, metric))


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@json_option
def netlist(design: Path, as_json: bool) -> None:
    """Map an engine to gates or LUTs: cells, area and activity by component, and the longest path."""
    from dataclasses import asdict

    from archsim.netlist_report import report_netlist
    from reports.views.results import netlist_tables

    report = _watched(design, report_netlist)
    answer(as_json, lambda: asdict(report), lambda: netlist_tables(report))


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write: an SVG.")
def draw(design: Path, out: Path) -> None:
    """Draw the block diagram of an engine as SVG: every component and memory, and what runs between them."""
    from archsim import DesignPoint
    from reports.diagram.engine import save_diagram

    diagram = save_diagram(DesignPoint.from_file(design), out)
    click.echo(f"{out}: {len(diagram.blocks)} kinds of blocks, {len(diagram.links)} links")


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option(
    "--inputs", default=2, show_default=True, type=click.IntRange(1, 40), help="Inputs in the test benches."
)
def export(design: Path, out: Path, inputs: int) -> None:
    """Write an engine as hardware: Verilog, memory images, self-checking test benches, AXI around it, and
    what the tools of its technology build it by.

    The README in the folder says how each of them is used.
    """
    from archsim import DesignPoint
    from reports.export import export as write

    files = write(DesignPoint.from_file(design), out, inputs=inputs)
    click.echo(f"{len(files)} files in {out}; {out / 'README.md'} says how to run them.")


@main.command()
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: standard output]")
@click.option("--sweep", is_flag=True, help="Of a file of a sweep.")
def schema(out: Path | None, sweep: bool) -> None:
    """Say what a design file may hold, as a JSON schema for editors."""
    import json

    from archsim import DesignPoint
    from archsim.explore.schema import sweep_schema
    from workloads.files import check_file, write_text

    described = json.dumps(sweep_schema() if sweep else DesignPoint.model_json_schema(), indent=2)
    if out is None:
        click.echo(described)
        return
    check_file(out)
    write_text(out, f"{described}\n")
    what = "sweep" if sweep else "design"
    click.echo(f"{out}; a {what} names it in its first line: # yaml-language-server: $schema={out.name}")


def _simulated(design: Path, fidelity: str) -> Result:
    return _watched(design, lambda point: point.simulate(fidelity))


def _watched(design: Path, work: Callable[[DesignPoint], T]) -> T:
    """What comes of a design point, while the terminal says what is being done."""
    from archsim import DesignPoint
    from reports.progress import progress

    point = DesignPoint.from_file(design)
    with progress():
        return work(point)
