"""Commands about many design points: sweep, search, results."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.cli.group import (
    BY_ARCHSIM,
    BY_SYSTEM,
    FIDELITIES,
    answer,
    going_on,
    json_option,
    main,
    refuse,
    where_option,
)
from reports.formatting import plural

if TYPE_CHECKING:
    import pandas as pd

    from archsim.explore.store import Row

_OUT = click.option(
    "--out",
    default=Path("runs"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of results.",
)
_FIDELITY = click.option(
    "--fidelity", metavar="|".join(FIDELITIES), help="Instead of the one that the file names."
)
_WORKERS = click.option(
    "--workers",
    type=int,
    metavar="N",
    help="Processes here; 0: this one alone.  [default: this one, and one a core if it takes longer]",
)
_SCHEDULER = click.option(
    "--scheduler", metavar="ADDRESS", help="A Dask cluster to run on, as tcp://host:8786."
)


@main.command()
@click.argument("spec", type=click.Path(path_type=Path))
@_OUT
@_FIDELITY
@_WORKERS
@_SCHEDULER
@click.option("--dry-run", is_flag=True, help="Say what it would be: how many points, refused why, how long.")
@click.option("--best", metavar="METRIC", default="energy_j", show_default=True, help="Shown while it runs.")
@json_option
def sweep(
    spec: Path,
    out: Path,
    fidelity: str | None,
    workers: int | None,
    scheduler: str | None,
    dry_run: bool,
    best: str,
    as_json: bool,
) -> int:
    """Cost every design point of a SPEC, a YAML file with a base and axes, into a folder of results.

    Each point is kept as it is finished: the same command goes on where one was stopped.
    """
    from dataclasses import replace

    from archsim.explore.spec import Space
    from archsim.explore.sweep.preview import preview
    from archsim.explore.sweep.sweep import sweep as sweep_space
    from reports.views.explored import Live, preview_table, preview_values, sweep_sentence, sweep_values

    space = Space.from_file(spec)
    space = space if fidelity is None else replace(space, fidelity=fidelity)
    if dry_run:
        looked = preview(space)
        answer(as_json, lambda: preview_values(looked), lambda: preview_table(space, looked))
        return 0
    with going_on(str(out)), Live(best) as live:
        done = sweep_space(space, out, workers=workers, scheduler=scheduler, report=live)
    frame = done.frame
    answer(as_json, lambda: sweep_values(frame), lambda: sweep_sentence(frame, out))
    return _of_lost(done.lost) or _of_defects(frame)


def _of_lost(lost: Sequence[Row]) -> int:
    """The status where points could not be finished here: they are said, and can be tried again."""
    if not lost:
        return 0
    many = plural(len(lost), "point")
    said = f"{many} could not be finished, and the same command tries again: {lost[0].error}"
    return refuse(said, BY_SYSTEM)


def _of_defects(frame: pd.DataFrame) -> int:
    """The status of a sweep in which points ended in defects of archsim: all others are kept as ever."""
    from archsim.explore.sweep.work import DEFECT

    errors = [str(error) for error in frame.get("error", ()) if str(error).startswith(DEFECT)]
    many = plural(len(errors), "point")
    return refuse(f"{many} ended in a defect: {errors[0]}", BY_ARCHSIM) if errors else 0


@main.command()
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--objective",
    "objectives",
    multiple=True,
    required=True,
    metavar="METRIC",
    help="What to look for, as energy_j and area_mm2; once for each.",
)
@click.option(
    "--constraint", "constraints", multiple=True, metavar="CONDITION", help="As 'accuracy >= 0.97'."
)
@click.option("--trials", default=500, show_default=True, metavar="N", help="Points to cost.")
@click.option("--seed", default=0, show_default=True, metavar="N", help="Of what is tried.")
@click.option("--then", metavar="|".join(FIDELITIES[1:]), help="Cost the front at this fidelity too.")
@_OUT
@_FIDELITY
@_WORKERS
@_SCHEDULER
@json_option
def search(
    spec: Path,
    objectives: tuple[str, ...],
    constraints: tuple[str, ...],
    trials: int,
    seed: int,
    then: str | None,
    out: Path,
    fidelity: str | None,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> int:
    """Look for the best design points of a SPEC, a file as `sweep` takes it, and cost only some of them.

    Each point is kept as it is finished: the same command goes on where one was stopped, and with more trials
    from where one ended.
    """
    from archsim.explore.search.goals import Objective
    from archsim.explore.search.search import search as search_space
    from archsim.explore.spec import Space
    from reports.views.explored import Live
    from reports.views.searched import search_shown, search_values

    space = Space.from_file(spec)
    first = Objective.of(objectives[0]).name
    with going_on(str(out)), Live(first) as live:
        done = search_space(
            space,
            out,
            objectives=objectives,
            constraints=constraints,
            trials=trials,
            seed=seed,
            fidelity=fidelity,
            then=then,
            workers=workers,
            scheduler=scheduler,
            report=live,
        )
    answer(as_json, lambda: search_values(done, str(spec)), lambda: search_shown(done, str(spec), out))
    return _of_lost(done.lost)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@where_option
@click.option("--columns", metavar="NAMES", help="Fields and figures, with commas; all for none.")
@click.option("--every-version", is_flag=True, help="Rows of other versions of archsim too.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV.")
@click.option("--parquet", "form", flag_value="parquet", help="Print Parquet, as a file or a pipe takes it.")
@click.option("--json", "form", flag_value="json", help="Print plain JSON.")
@click.option(
    "--file", "target", type=click.Path(path_type=Path), help="A file to write instead of printing."
)
def results(
    folder: Path,
    where: tuple[str, ...],
    columns: str | None,
    every_version: bool,
    form: str | None,
    target: Path | None,
) -> int:
    """Show the finished points of a sweep's folder DIR, those of which every CONDITION holds."""
    from archsim.explore.query import found, told
    from archsim.explore.store import Store
    from reports.cli.group import show
    from reports.views.explored import results_content, results_table
    from workloads.files import check_file, write_file

    if target is not None:
        check_file(target)
    store = Store(folder, read=True)
    chosen = [name.strip() for name in columns.split(",") if name.strip()] if columns else []
    rows = found(store, where=where, every_version=every_version)
    frame = told(rows, chosen)
    others = 0 if every_version else store.of_other_versions()
    if others:
        them = "1 row is" if others == 1 else f"{others:,} rows are"
        said = f"{them} of another version of archsim, and left out; --every-version shows all"
        click.echo(f"archsim: {said}", err=True)
    if form is None and target is None:
        show(results_table(rows, chosen))
        return 0
    to_terminal = target is None and sys.stdout.isatty()
    content = results_content(frame, form or _form_of(target), to_terminal=to_terminal)
    if target is not None:
        write_file(target, lambda file: file.write(content))
    else:
        click.echo(content, nl=False)
    return 0


def _form_of(target: Path | None) -> str:
    """The form that the name of a file ends in."""
    return target.suffix.lstrip(".").lower() if target is not None else "csv"
