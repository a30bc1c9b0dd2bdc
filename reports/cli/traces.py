"""The command that shows a run over time: trace."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.group import main


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="File to write: .vcd (waveforms), .json (Perfetto, chrome://tracing) or .svg (a picture).",
)
@click.option(
    "--fidelity",
    default="cycle",
    show_default=True,
    metavar="cycle|rtl",
    help="Event simulation, or the hardware itself: both give the same.",
)
@click.option("--inputs", metavar="FILE", help="What to run it on, instead of what the DESIGN names.")
@click.option("--from", "first", default=0, show_default=True, help="First cycle, counted from `start`.")
@click.option("--to", "last", type=int, help="Cycle before which to end.  [default: the end of the run]")
def trace(design: Path, out: Path, fidelity: str, inputs: str | None, first: int, last: int | None) -> None:
    """Show one run over time: for each unit when it is busy, idle or stalled, and why."""
    from archsim import DesignPoint
    from archsim.trace.files import WRITERS, check_trace, write_trace
    from archsim.trace.runs import run_of
    from archsim.trace.utilisation import utilisation_of
    from reports.pictures.run import PARTS, save_picture
    from reports.progress import progress

    check_trace(out, (*WRITERS, ".svg"))
    point = DesignPoint.from_file(design)
    if inputs is not None:
        point = point.replace(inputs=inputs)
    with progress():
        run = run_of(point, fidelity, last)
        if out.suffix in WRITERS:
            timeline = run.timeline(first, last)
            write_trace(timeline, out)
            first, last, units = timeline.first, timeline.last, len(timeline.tracks)
        else:
            shown = utilisation_of(run, PARTS, first, last)
            save_picture(shown, out)
            first, last, units = shown.edges[0], shown.edges[-1], len(shown.shares)
    click.echo(f"{units} units from cycle {first:,} to {last:,} in {out}.")
