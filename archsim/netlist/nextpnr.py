"""Runs nextpnr in a process of its own, which places a mapped design on an FPGA and routes it."""

from __future__ import annotations

import logging
import re
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from importlib import metadata
from math import inf
from pathlib import Path
from typing import IO

from archsim.netlist import yowasp
from archsim.technology.fpga.fpga import PlaceAndRoute
from workloads.files import write_text
from workloads.refusal import Refusal

EXTRA = "fpga"
"""The extra of this package that brings nextpnr."""

REPORT, DELAYS = "report.json", "design.sdf"
"""What nextpnr tells of a design: utilisation and paths, and the delay of every net and cell."""

_LOG = logging.getLogger(__name__)
_STEPS = {
    "Packing IOs": "packing",
    "Creating initial analytic placement": "placing",
    "Running simulated annealing": "refining the placement",
    "Routing..": "routing",
}
"""What a line of its log begins with, and what it then does."""

_ERROR = "ERROR:"
"""What a line of its log that speaks of an error begins with."""

_SITES = {"TRELLIS_IO": "pins"}
"""What it calls sites whose name says little."""

_NO_SITE = re.compile(r"no BELs remaining to implement cell type '(\w+)'")


class NextpnrError(Refusal):
    """nextpnr refused a design; the message is its first error."""


class NextpnrAbsentError(NextpnrError):
    """nextpnr is not there, took too long, or ended without saying why: elsewhere, or another time, it may
    place the same design."""


def nextpnr_version(how: PlaceAndRoute) -> str:
    """The version of nextpnr for a family; a part of every cache key. Raises NextpnrAbsentError where it is
    not installed."""
    try:
        return _tool(how).version
    except metadata.PackageNotFoundError:
        raise NextpnrAbsentError(
            f"nextpnr is not installed, allowed is fidelity layout where `pip install 'archsim[{EXTRA}]'` "
            f"brought yowasp-nextpnr-{how.family}"
        ) from None


def _tool(how: PlaceAndRoute) -> yowasp.Tool:
    family = how.family
    module, function = f"nextpnr-{family}.wasm", f"run_nextpnr_{family}"
    return yowasp.Tool("nextpnr", f"yowasp_nextpnr_{family}", module, function)


def run_nextpnr(mapped: str, how: PlaceAndRoute, *, seed: int, limit_s: float) -> dict[str, str]:
    """Place and route a design that Yosys mapped (the text of its JSON): `REPORT` and `DELAYS`, as texts.

    It takes from 10 s to minutes, and up to a gigabyte of memory; one seed gives the same each time. An
    interrupt ends it, and nothing is left behind. Raises NextpnrError with its first error, or where it takes
    longer than `limit_s`.
    """
    nextpnr_version(how)
    tool = _tool(how)
    with tempfile.TemporaryDirectory(prefix="archsim_nextpnr_") as directory:
        room = Path(directory)
        write_text(room / "mapped.json", mapped)
        outputs = ("--report", REPORT, "--detailed-timing-report", "--sdf", DELAYS)
        arguments = ("--json", "mapped.json", *how.arguments, "--seed", str(seed), *outputs)
        _LOG.info("placing and routing with nextpnr, seed %d", seed)
        status, lines = _watched(tool, arguments, room, seed, limit_s)
        written = [name for name in (REPORT, DELAYS) if room.joinpath(name).is_file()]
        if status or len(written) < 2:
            refused = any(line.startswith(_ERROR) for line in lines)
            raise (NextpnrError if refused else NextpnrAbsentError)(_why(lines, status))
        return {name: room.joinpath(name).read_text(encoding="utf-8") for name in written}


def _watched(
    tool: yowasp.Tool, arguments: Sequence[str], room: Path, seed: int, limit_s: float
) -> tuple[int, list[str]]:
    """Its status, and the lines that it said while it ran; however the wait for it ends, it is ended."""
    lines: list[str] = []
    with subprocess.Popen(
        tool.command(arguments),
        cwd=room,
        env=yowasp.environment(yowasp.compiled(tool)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        listener = threading.Thread(target=_listen, args=(process.stderr, lines, seed))
        listener.start()
        try:
            status = process.wait(timeout=limit_s if limit_s < inf else None)
        except subprocess.TimeoutExpired:
            raise NextpnrAbsentError(
                f"nextpnr took longer than {limit_s:g} s for seed {seed}, allowed are designs that it places "
                "and routes in that time, or a longer --limit of archsim layout, which keeps what it made"
            ) from None
        finally:
            process.kill()  # WebAssembly hears no gentler signal
            listener.join()
    return status, lines


def _listen(stream: IO[str] | None, lines: list[str], seed: int) -> None:
    """Keeps what it says, and tells each step that it takes."""
    for line in stream or ():
        told = line.strip()
        lines.append(told)
        for begins, step in _STEPS.items():
            if told.startswith(f"Info: {begins}"):
                _LOG.info("nextpnr, seed %d: %s", seed, step)


def _why(lines: Sequence[str], status: int) -> str:
    """One sentence: the resource that ran out, the first line that speaks of an error, or how it ended."""
    errors = [line.removeprefix(_ERROR).strip().rstrip(".") for line in lines if line.startswith(_ERROR)]
    if errors and (out := _NO_SITE.search(errors[0])):
        return (
            f"nextpnr finds no room for the design: the device has too few {_SITES.get(out[1], out[1])}, "
            "allowed are a larger technology.device, or an engine of fewer PEs"
        )
    if errors:
        return f"nextpnr refuses the design: {errors[0]}"
    last = yowasp.last_line("\n".join(lines))
    why = f"the last that it said is: {last}" if last else "perhaps for lack of memory"
    return f"nextpnr ended with status {status} and no error line; {why}"
