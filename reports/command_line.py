"""The command line. Bad input ends in one sentence and exit status 2; a defect keeps its trace.

Heavy modules are imported inside the commands, so that ``archsim --help`` answers at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from archsim import Result

OURS = ("archsim", "reports", "rtl", "workloads")
FIDELITIES = ("analytic", "cycle", "rtl", "gate")
PIPED_WIDTH = 150
GLITCHES = "glitches"
STUDY_FOLDER = Path("build/reports")

_C = TypeVar("_C", bound=Callable[..., Any])


class CommandLine(click.Group):
    """A group that turns refusals into one sentence on stderr."""

    def main(  # type: ignore[override]  # the exit status is always ours to give, whatever the mode
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        extra["standalone_mode"] = False
        try:
            status = super().main(args, prog_name or "archsim", **extra)
        except click.ClickException as error:
            status = _refuse(error.format_message(), 2)
        except click.Abort:
            status = _refuse("interrupted", 130)
        except BrokenPipeError:
            sys.stderr.close()
            status = 1
        except (ValueError, ArithmeticError, RuntimeError, AssertionError) as error:
            if not _said_by_us(error):
                raise
            status = _refuse(str(error), 2 if isinstance(error, ValueError) else 1)
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            return _refuse("interrupted", 130)


def _refuse(message: str, status: int) -> int:
    """Says one sentence on stderr and gives the exit status back."""
    sentence = " ".join(message.split()).rstrip(".")
    click.echo(f"archsim: {sentence}.", err=True)
    return status


def _said_by_us(error: BaseException) -> bool:
    """Whether the error is of our own kind, or our own code raised it: then its message is meant for people.
    One that comes from a library below us is a defect, and its trace is worth more than its message."""
    if type(error).__module__.partition(".")[0] in OURS:
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return module.partition(".")[0] in OURS


def _fidelity(default: str) -> Callable[[_C], _C]:
    return click.option(
        "--fidelity",
        default=default,
        show_default=True,
        metavar="|".join(FIDELITIES),
        help="How closely to look: closed form, event simulation, the hardware, or its netlist.",
    )


_json = click.option("--json", "as_json", is_flag=True, help="Print plain JSON, in SI units.")


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="archsim")
def main() -> None:
    """What does a sparse fully connected layer really cost in silicon?

    A DESIGN is a YAML file that names a network, an engine, a clock and a technology.
    """


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@_fidelity("cycle")
@_json
def simulate(design: Path, fidelity: str, as_json: bool) -> None:
    """Cost one design point."""
    result = _simulated(design, fidelity)
    if as_json:
        _print_json(result.to_dict())
        return
    from reports.tables import result_tables

    _print(result_tables(result))


@main.command()
@click.argument("designs", type=click.Path(path_type=Path), nargs=-1, required=True)
@_fidelity("cycle")
@_json
def compare(designs: tuple[Path, ...], fidelity: str, as_json: bool) -> None:
    """Cost several design points, with ratios to the first."""
    from reports.tables import comparison_tables, ratios_to_first

    results = [_simulated(design, fidelity) for design in designs]
    kinds = sorted({result.design["technology"]["kind"] for result in results})
    if len(kinds) > 1:
        raise click.UsageError(f"technology is {' and '.join(kinds)}, allowed is one kind in a comparison")
    if as_json:
        _print_json({"designs": [each.to_dict() for each in results], "ratios": ratios_to_first(results)})
    else:
        _print(comparison_tables(results))


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@click.option(
    "--inputs", default=1, show_default=True, type=click.IntRange(1), help="How many inputs to run."
)
@_json
def verify(design: Path, inputs: int, as_json: bool) -> int:
    """Ask every fidelity the same, and compare: cycles, traffic and outputs must be equal.

    The exit status is 1 where they are not.
    """
    from archsim import DesignPoint
    from archsim.verification import verify as verify_mapping
    from reports.tables import verification_table

    checked = verify_mapping(DesignPoint.from_file(design).mapping, inputs=inputs)
    if as_json:
        differences = [{"what": each.what, "values": each.values} for each in checked.differences]
        _print_json(
            {
                "agrees": checked.agrees,
                "inputs": checked.inputs,
                "figures": checked.figures,
                "differences": differences,
            }
        )
    else:
        _print(verification_table(checked))
        for difference in checked.differences:
            click.echo(f"DIFFERENT {difference}")
        runs = f"{inputs} input{'s' * (inputs != 1)}"
        click.echo(
            f"All fidelities agree on {runs}, outputs included."
            if checked.agrees
            else f"The fidelities disagree on {len(checked.differences)} figures over {runs}."
        )
    return 0 if checked.agrees else 1


@main.command()
@click.argument("study")
@click.option(
    "--out",
    default=STUDY_FOLDER,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of reports.",
)
@_json
def reproduce(study: str, out: Path, as_json: bool) -> None:
    """Reproduce a published comparison: tables here, and a page in a folder named after the STUDY."""
    from reports.studies import reproduce as run_study

    report = run_study(study, out)
    if as_json:
        _print_json(report.figures)
        return
    from reports.terminal import report_tables

    _print(report_tables(report))
    click.echo(f"The page is {out / report.name / 'index.html'}")


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@click.argument("metric")
@_fidelity("cycle")
@_json
def explain(design: Path, metric: str, fidelity: str, as_json: bool) -> None:
    """Show the sum behind a number: energy_j, power_w, leakage_w, area_mm2, or lut, ff, dsp, bram36."""
    from reports.tables import explanation, explanation_values

    result = _simulated(design, fidelity)
    if as_json:
        _print_json(explanation_values(result, metric))
    else:
        _print(explanation(result, metric))


@main.command()
@click.argument("recipe")
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: NAME.npz]")
def train(recipe: str, out: Path | None) -> None:
    """Train a network by a RECIPE: a name, or a YAML file."""
    from reports import formatting as f
    from reports.output import check_file
    from workloads import load_recipe
    from workloads import train as train_network

    chosen = load_recipe(recipe)
    target = out or Path(f"{chosen.name}.npz")
    check_file(target)
    network = train_network(chosen)
    network.save(target)
    click.echo(
        f"{target}: {network.stored_weights:,} stored weights, compression {f.ratio(network.compression)}, "
        f"accuracy {f.percent(network.accuracy['float'], 2)} in float and "
        f"{f.percent(network.accuracy['int8'], 2)} with 8 bits"
    )


@main.command()
@_json
def networks(as_json: bool) -> None:
    """List the networks of the zoo."""
    from reports.tables import network_table
    from workloads import load_network, zoo_names

    zoo = [load_network(name) for name in zoo_names()]
    if as_json:
        _print_json(
            [
                {
                    "name": each.name,
                    "stored_weights": each.stored_weights,
                    "compression": each.compression,
                    "accuracy": dict(each.accuracy),
                }
                for each in zoo
            ]
        )
    else:
        _print(network_table(zoo))


@main.command()
@_json
def validate(as_json: bool) -> None:
    """Show the error of the fitted logic on netlists that the fit never saw."""
    from archsim.calibration import PLANS, held_out_errors
    from archsim.technology import technology
    from reports.tables import error_table

    found = {name: held_out_errors(technology(name)) for name in PLANS}
    if as_json:
        _print_json({name: [vars(error) for error in errors] for name, errors in found.items()})
        return
    for name, errors in found.items():
        _print(error_table(name, errors))


@main.command()
@click.argument("name", metavar="TECHNOLOGY")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the data files.")
def calibrate(name: str, out: Path) -> None:
    """Synthesise the netlists of a calibration anew and fit the logic model to them.

    TECHNOLOGY is cmos65 or artix7, a quarter of an hour each, or "glitches", which Icarus Verilog measures
    on netlists of cmos65. An interrupted run goes on where it stopped.
    """
    from archsim.calibration import PLANS
    from archsim.calibration import calibrate as fit_anew
    from archsim.technology import technology
    from reports.tables import error_table, glitch_table

    if name not in (*PLANS, GLITCHES):
        raise click.UsageError(f"technology is {name!r}, allowed are {', '.join((*PLANS, GLITCHES))}")
    if not out.is_dir():
        raise click.UsageError(f"out is {out}, allowed is a folder that exists")
    if name == GLITCHES:
        from archsim.glitches import calibrate_glitches

        _print(glitch_table(calibrate_glitches(technology("cmos65"), out)))
    else:
        _print(error_table(name, fit_anew(technology(name), out)))


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@_json
def netlist(design: Path, as_json: bool) -> None:
    """Map an engine to gates or LUTs: cells, area and activity by component, and the longest path."""
    from dataclasses import asdict

    from archsim import DesignPoint
    from archsim.netlist_report import report_netlist
    from reports.progress import progress

    point = DesignPoint.from_file(design)
    with progress():
        found = report_netlist(point)
    if as_json:
        _print_json(asdict(found))
        return
    from reports.tables import netlist_tables

    _print(netlist_tables(found))


@main.command()
@click.argument("design", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option(
    "--inputs", default=2, show_default=True, type=click.IntRange(1, 40), help="Inputs in the test bench."
)
def export(design: Path, out: Path, inputs: int) -> None:
    """Write Verilog, memory images and a self-checking test bench."""
    from archsim import DesignPoint
    from reports.export import export as write

    files = write(DesignPoint.from_file(design), out, inputs=inputs)
    click.echo(f"{len(files)} files in {out}; {out / 'README.md'} says how to run them.")


def _simulated(design: Path, fidelity: str) -> Result:
    from archsim import DesignPoint
    from reports.progress import progress

    point = DesignPoint.from_file(design)
    with progress():
        return point.simulate(fidelity)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print(shown: RenderableType) -> None:
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(highlight=False, width=width).print(shown)
