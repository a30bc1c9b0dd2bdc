"""The command that writes a page about design points: report."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from reports.cli.group import fidelity_option, main, where_option


@main.command()
@click.argument("results", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--title", default="Design points", show_default=True, help="Heading of the page.")
@click.option(
    "--mark",
    "marked",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A design file, a file of designs by name, or a folder of design files: named on the front.",
)
@where_option
@fidelity_option("cycle")
def report(
    results: tuple[Path, ...],
    out: Path,
    title: str,
    marked: tuple[Path, ...],
    where: tuple[str, ...],
    fidelity: str,
) -> None:
    """Write a page about design points that opens from disk, with CSV, Markdown, SVG and PDF beside it.

    RESULTS are folders of sweeps, files of `simulate --json` or `compare --json`, and design files, which are
    costed at `--fidelity`.
    """
    from tqdm import tqdm

    from archsim.explore.gather import gather
    from reports.formatting import plural
    from reports.points.write import write_report

    points = gather(results, fidelity, where=where, marked=marked)
    options = [*(("--mark", path.name) for path in marked), *(("--where", text) for text in where)]
    given = [
        *(path.name for path in results),
        "--out",
        out.name,
        *(word for pair in options for word in pair),
    ]
    command = shlex.join(["archsim", "report", *given, "--fidelity", fidelity])
    content = write_report(
        points,
        out,
        sources=[path.name for path in results],
        command=command,
        title=title,
        watch=lambda places: tqdm(places, desc="runs over time", leave=False, disable=None),
    )
    points_shown = plural(len(content.points), "point")
    click.echo(f"{points_shown}, {len(content.refused):,} refused; the page is {out / 'index.html'}")
