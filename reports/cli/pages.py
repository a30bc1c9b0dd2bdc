"""The command that writes a page about design points: report."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from reports.cli.group import fidelity_option, main


@main.command()
@click.argument("results", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--title", default="Design points", show_default=True, help="Heading of the page.")
@fidelity_option("cycle")
def report(results: tuple[Path, ...], out: Path, title: str, fidelity: str) -> None:
    """Write a page about design points that opens from disk, with CSV, Markdown and SVG beside it.

    RESULTS are folders of sweeps, files of `simulate --json` or `compare --json`, and design files, which are
    costed at `--fidelity`.
    """
    from tqdm import tqdm

    from archsim.explore.gather import gather
    from reports.points.write import write_report

    points = gather(results, fidelity)
    command = shlex.join(
        ["archsim", "report", *(path.name for path in results), "--out", out.name, "--fidelity", fidelity]
    )
    content = write_report(
        points,
        out,
        sources=[path.name for path in results],
        command=command,
        title=title,
        watch=lambda places: tqdm(places, desc="by component", unit="point", leave=False, disable=None),
    )
    click.echo(
        f"{len(content.points):,} points, {len(content.refused):,} refused; the page is {out / 'index.html'}"
    )
