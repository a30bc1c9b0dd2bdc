"""The group of commands and what they share. Whatever goes wrong ends in one sentence on stderr and a status
that says whose fault it is: 2 for what was given, 1 for what archsim runs on, 70 for archsim itself."""

from __future__ import annotations

import contextlib
import errno
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem

from reports.streams import flushed, prepare_streams, takes
from workloads.files import reason_of
from workloads.refusal import Refusal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from reports.write_up.report import Report

FIDELITIES = ("analytic", "cycle", "rtl", "gate", "layout")
PIPED_WIDTH = 150
BY_SYSTEM, BY_INPUT, BY_ARCHSIM, INTERRUPTED = 1, 2, 70, 130
"""Exit statuses; 70 is that of `sysexits.h` for software that is wrong."""

_OF_THE_SYSTEM = frozenset(
    getattr(errno, name, None)
    for name in ("EACCES", "EDQUOT", "EIO", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EPERM", "EROFS")
)
"""What a disk, a folder or a machine that is full or protected says."""

_C = TypeVar("_C", bound=Callable[..., Any])


class CommandLine(click.Group):
    """A group that turns refusals into one sentence on stderr."""

    def main(  # type: ignore[override]  # the exit status is always ours to give, whatever the mode
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        extra["standalone_mode"] = False
        prepare_streams()
        try:
            status = super().main(args, prog_name or "archsim", **extra)
            lost = flushed()
        except BaseException as error:
            lost = flushed()
            of_stream = isinstance(error, OSError) and lost is not None and error.errno == lost.errno
            status = 0 if of_stream else _ended(error)
        if isinstance(lost, BrokenPipeError):
            status = status or BY_SYSTEM
        elif lost is not None:
            status = refuse(f"standard output cannot be written ({reason_of(lost)})", BY_SYSTEM)
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            return refuse("interrupted", INTERRUPTED)


def _ended(error: BaseException) -> int:
    """Says in a sentence how a command ended, and gives the exit status back."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else BY_SYSTEM
    if isinstance(error, BrokenPipeError):
        return BY_SYSTEM
    return refuse(*sentence_of(error))


def _of_a_full_disk(error: BaseException | None) -> bool:
    """Whether a refusal came of a disk that is full, which no other input mends."""
    if error is None:
        return False
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    full |= getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
    return full or _of_a_full_disk(error.__cause__ or error.__context__)


def sentence_of(error: BaseException) -> tuple[str, int]:
    """What is said of an error, and the exit status."""
    if isinstance(error, click.ClickException):
        return error.format_message(), BY_INPUT
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return "interrupted", INTERRUPTED
    if isinstance(error, _refusals()):
        return str(error), BY_SYSTEM if _of_a_full_disk(error) else BY_INPUT
    if isinstance(error, MemoryError):
        return "memory is full, allowed are designs and networks that fit it", BY_SYSTEM
    if isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM:
        place = error.filename or "standard output, or a file,"
        return f"{place} cannot be used ({reason_of(error)})", BY_SYSTEM
    if isinstance(error, _of_what_runs()):
        return str(error), BY_SYSTEM
    from reports.defects import defect_of

    return defect_of(error), BY_ARCHSIM


@contextlib.contextmanager
def going_on(what: str) -> Iterator[None]:
    """Says, where the work inside is interrupted, that the same command goes on from `what` it kept."""
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        said = f"interrupted; the same command goes on from {what}"
        raise SystemExit(refuse(said, INTERRUPTED)) from None


def kept() -> str:
    """What long commands go on from."""
    from workloads.data.cache import cache_folder

    return f"what {cache_folder()} holds"


class Known(click.ParamType[str]):
    """A name of a register, which is asked only where help or completion needs it; what it does not know is
    refused by whoever is given it. With `or_file` the path of a file will do; `about` tells of a name what
    help says beside it."""

    def __init__(
        self,
        names: Callable[[], Iterable[str]],
        *,
        or_file: bool = False,
        about: Callable[[str], str] = lambda name: "",
    ) -> None:
        self.name = "name"
        self.names, self.or_file, self.about = names, or_file, about

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        found = [CompletionItem(name) for name in self.names() if name.startswith(incomplete)]
        return found + [CompletionItem(incomplete, type="file")] * self.or_file


class ListingCommand(click.Command):
    """A command whose help ends with the names that each of its arguments takes."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        for param in self.params:
            if isinstance(param.type, Known):
                told = ((name, param.type.about(name)) for name in param.type.names())
                names = ", ".join(f"{name} ({about})" if about else name for name, about in told)
                takes = f"{names}{', or a file' * param.type.or_file}"
                formatter.write_paragraph()
                formatter.write_text(f"{param.human_readable_name} is one of: {takes}")


def refuse(message: str, status: int) -> int:
    """Says one sentence on stderr and gives the exit status back."""
    sentence = " ".join(message.split()).rstrip(".")
    with contextlib.suppress(OSError):  # nobody listens
        click.echo(f"archsim: {sentence}{'.' * (not sentence.endswith('?'))}", err=True)
    return status


def _refusals() -> tuple[type[Exception], ...]:
    """What says that something given is not allowed. Asked for only once something is raised, as is the next:
    the hardware, which knows nothing of our bases, takes long to import."""
    from rtl import SizeError

    return Refusal, SizeError


def _of_what_runs() -> tuple[type[Exception], ...]:
    """What says in a sentence that a process was killed, or that a simulation came to no end."""
    from archsim.netlist import ActivityError
    from reports.parallel import WorkerError
    from rtl import SimulationLimitError

    return ActivityError, SimulationLimitError, WorkerError


def fidelity_option(default: str) -> Callable[[_C], _C]:
    return click.option(
        "--fidelity",
        default=default,
        show_default=True,
        metavar="|".join(FIDELITIES),
        help="How closely to look: closed form, event simulation, the hardware, its netlist, or that placed.",
    )


folder_option = click.option(
    "--out",
    default=Path("build/reports"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of reports.",
)
where_option = click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Points that count, as 'energy_j < 1e-7 and pes <= 16'.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print plain JSON, in SI units.")


@click.group(
    cls=CommandLine,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(None, "-V", "--version", package_name="archsim")
@click.pass_context
def main(ctx: click.Context) -> None:
    """What does a sparse fully connected layer really cost in silicon?

    A DESIGN is a YAML file that names a network, an engine, a clock and a technology.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def show(shown: RenderableType) -> None:
    """A table on stdout, wide where that is no terminal."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(highlight=False, width=width).print(shown)


def answer(as_json: bool, plain: Callable[[], Any], shown: Callable[[], RenderableType]) -> None:
    """One of the two on stdout: plain values as JSON, under a heading that says what they are, or tables."""
    if as_json:
        text = json.dumps(_headed(plain()), indent=2, ensure_ascii=False)
        click.echo(text if takes(text, sys.stdout) else json.dumps(json.loads(text), indent=2))
    else:
        show(shown())


def _headed(told: Any) -> Any:
    """Values with who wrote them first, unless they say so themselves or are a list."""
    if not isinstance(told, dict) or "format" in told:
        return told
    from archsim.costs.plain import heading

    return {**heading(f"archsim {click.get_current_context().info_name}"), **told}


def answer_report(as_json: bool, report: Report, folder: Path) -> None:
    """The figures of a report whose page lies in `folder`, or its tables and where the page is."""
    from reports.page import values_of
    from reports.terminal import report_tables

    answer(as_json, lambda: values_of(report), lambda: report_tables(report))
    if not as_json:
        click.echo(f"The page is {folder / 'index.html'}")
