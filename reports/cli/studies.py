"""Commands that reproduce published comparisons, and fit and validate the models."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import click

from reports.cli.group import (
    BY_SYSTEM,
    Known,
    ListingCommand,
    answer,
    answer_report,
    folder_option,
    going_on,
    json_option,
    kept,
    main,
    refuse,
    sentence_of,
    show,
)

ALL = "all"
"""Every study."""


def _studies() -> list[str]:
    from reports.studies import studies

    return [ALL, *studies]


def _duration(name: str) -> str:
    from reports.studies.registry import duration_of

    lasts = None if name == ALL else duration_of(name)
    return f"about {lasts}" if lasts else ""


def _calibrations() -> Iterable[str]:
    from archsim.calibration.plan import PLANS

    return PLANS


@main.command(cls=ListingCommand)
@click.argument("study", type=Known(_studies, about=_duration))
@folder_option
@click.option("--rerun", is_flag=True, help="Train the networks of the study anew.")
@click.option(
    "--technology",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Make it on the technology of a YAML file, as a design file describes one (csc-dac2019).",
)
@click.option(
    "--map",
    "with_map",
    is_flag=True,
    help="Say too who wins over PEs and bits (csc-dac2019); a few minutes more, once.",
)
@click.option(
    "--fidelity",
    metavar="gate|layout",
    help="At layout also of placed designs (csc-dac2019); ten minutes more, once.  [default: gate]",
)
@json_option
def reproduce(
    study: str,
    out: Path,
    rerun: bool,
    technology: Path | None,
    with_map: bool,
    fidelity: str | None,
    as_json: bool,
) -> int:
    """Reproduce a published comparison: tables here, and a page in a folder named after the STUDY.

    An interrupted run goes on from the netlists and trainings that it finished. `all` makes every page, the
    quickest first, and an index of all claims with their verdicts; it keeps the pages that this version made,
    and a study that fails costs only its own.
    """
    from reports.studies import reproduce as run_study
    from reports.studies.registry import StudyError, folder_of, refused_option

    if study not in (known := _studies()):
        raise StudyError.of("study", study, known)
    if study == ALL:
        options = {"rerun": rerun, "technology": technology, "with_map": with_map, "fidelity": fidelity}
        for option, given in options.items():
            if given:
                raise refused_option(ALL, option)
        return _reproduce_all(out, as_json)
    with going_on(kept()):
        report = run_study(
            study, out, rerun=rerun, technology=technology, with_map=with_map, fidelity=fidelity
        )
    answer_report(as_json, report, out / folder_of(study, technology))
    return 0


def _reproduce_all(out: Path, as_json: bool) -> int:
    """The status says whether every study has its page."""
    from reports.published.index import PAGE, values_of
    from reports.published.site import reproduce_all, without_page
    from reports.terminal import index_tables

    with going_on(f"the pages in {out} and {kept()}"):
        entries = reproduce_all(
            out,
            sentence_of=lambda error: sentence_of(error)[0],
            tell=lambda words: click.echo(f"archsim: {words}", err=True),
        )
    answer(as_json, lambda: values_of(entries), lambda: index_tables(entries))
    if not as_json:
        click.echo(f"The index is {out / PAGE}")
    if missing := [entry.study for entry in without_page(entries)]:
        return refuse(f"no page of {', '.join(missing)}; the same command tries again", BY_SYSTEM)
    return 0


@main.command()
@json_option
def validate(as_json: bool) -> None:
    """Show the error of the fitted logic on netlists that the fit never saw."""
    from rich.console import Group

    from archsim.calibration.calibrate import held_out_errors
    from archsim.calibration.plan import PLANS
    from archsim.calibration.training import TITLES, held_out_training
    from archsim.technology import technology
    from reports.views.results import error_table

    known = {name: held_out_errors(technology(name)) for name in PLANS}
    known |= {
        f"{name}, {title}": held_out_training(technology(name), overlap)
        for overlap, title in TITLES.items()
        for name in PLANS
    }
    answer(
        as_json,
        lambda: {"technologies": {name: list(map(vars, errors)) for name, errors in known.items()}},
        lambda: Group(*(error_table(name, errors) for name, errors in known.items())),
    )


@main.command(cls=ListingCommand)
@click.argument("name", metavar="TECHNOLOGY", type=Known(_calibrations))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the data files.")
@click.option("--training", is_flag=True, help="Fit engines that train, in both forms.")
def calibrate(name: str, out: Path, training: bool) -> None:
    """Synthesise the netlists of a calibration anew and fit the logic model to them.

    A technology takes a quarter of an hour, cmos65 half an hour. An interrupted run goes on where it stopped.
    """
    from workloads.files import check_folder

    if name not in _calibrations():
        raise click.UsageError(f"technology is {name!r}, allowed are {', '.join(_calibrations())}")
    check_folder(out)
    from archsim.calibration.calibrate import calibrate as fit_anew
    from archsim.calibration.training import TITLES, calibrate_training
    from archsim.technology import technology
    from reports.views.results import error_table

    fitted = {f", {title}": partial(calibrate_training, overlap=overlap) for overlap, title in TITLES.items()}
    for words, fit in (fitted if training else {"": fit_anew}).items():
        with going_on(kept()):
            errors = fit(technology(name), out)
        show(error_table(f"{name}{words}", errors))
