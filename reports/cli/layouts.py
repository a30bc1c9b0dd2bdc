"""The command that places a design: layout."""

from __future__ import annotations

from pathlib import Path

import click

from reports.cli.group import answer, going_on, json_option, kept, main


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the files of the tools.")
@click.option(
    "--seeds", default=1, show_default=True, type=click.IntRange(1, 100), help="How often to place it anew."
)
@click.option(
    "--limit",
    default=3600.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long one seed may take.",
)
@click.option(
    "--utilisation", type=float, metavar="SHARE", help="Of the rows, what cells fill (standard cells)."
)
@json_option
def layout(
    design: Path, out: Path | None, seeds: int, limit: float, utilisation: float | None, as_json: bool
) -> None:
    """Place an engine, and on an FPGA route it: the core or what it takes of the device, its wires, its
    fastest clock, and the longest path. With --out also DEF, LEF and pictures, or what the tools wrote.

    It takes from ten seconds to ten minutes, once: what is placed is kept, and an interrupted run goes on
    from there. Seeds and their limit are for FPGAs.
    """
    from archsim import DesignPoint
    from archsim.layout_report import LayoutOptions, report_layout
    from reports.progress import progress
    from reports.views.layouts import layout_tables, pictures
    from workloads.files import check_folder, write_text

    point = DesignPoint.from_file(design)
    if out is not None:
        check_folder(out)
    with going_on(kept()), progress():
        report = report_layout(point, LayoutOptions(seeds=seeds, limit_s=limit, utilisation=utilisation))
    if out is not None:
        files = {**report.files, **pictures(report)}
        for name, text in files.items():
            write_text(out / name, text)
    answer(as_json, report.plain, lambda: layout_tables(report))
    if out is not None and not as_json:
        click.echo(f"{', '.join(files)} in {out}")
