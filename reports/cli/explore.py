"""Commands about many design points: sweep, results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reports.cli.group import INTERRUPTED, answer, json_option, main, refuse

_OUT = click.option("--out", default=Path("runs"), show_default=True, type=click.Path(path_type=Path))


@main.command()
@click.argument("spec", type=click.Path(path_type=Path))
@_OUT
@click.option("--fidelity", metavar="NAME", help="Instead of the one that the file names.")
@click.option("--dry-run", is_flag=True, help="Say how many points there are, and cost none.")
@json_option
def sweep(spec: Path, out: Path, fidelity: str | None, dry_run: bool, as_json: bool) -> int:
    """Cost every design point of a SPEC, a YAML file with a base and axes, into a folder of results.

    Each point is kept as it is finished: the same command goes on where one was stopped.
    """
    from archsim.explore.spec import Space
    from archsim.explore.sweep import sweep as sweep_space
    from reports.explored import Live, sweep_table

    space = Space.from_file(spec)
    if dry_run:
        kept = sum(1 for _ in space.points())
        counted = {"points": len(space), "kept_by_conditions": kept}
        answer(as_json, lambda: counted, lambda: f"{space!r}; conditions hold of {kept:,}")
        return 0
    try:
        with Live() as live:
            done = sweep_space(space, out, fidelity=fidelity, report=live.tell)
    except KeyboardInterrupt:
        return refuse(f"interrupted; the same command goes on from {out}", INTERRUPTED)
    answer(as_json, lambda: sweep_values(done.frame), lambda: sweep_table(done.frame, out))
    return 0


def sweep_values(frame: Any) -> Any:
    """The rows of a frame as plain values; what a row lacks is null."""
    import json

    return json.loads(frame.to_json(orient="records"))
