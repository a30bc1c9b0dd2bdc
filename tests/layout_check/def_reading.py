"""What other tools say in DEF: where components and pins lie, and the wires of the nets."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from archsim.layout.placer.problem import ORIENTATIONS

_UNITS = re.compile(r"^UNITS DISTANCE MICRONS (\d+)", re.MULTILINE)
_COMPONENT = re.compile(r"^- (\S+) (\S+)[^;]*?\+ (?:PLACED|FIXED) \( (-?\d+) (-?\d+) \) (\w+)", re.MULTILINE)
_PIN = re.compile(r"^- (\S+) [^;]*?\+ (?:PLACED|FIXED) \( (-?\d+) (-?\d+) \)", re.MULTILINE)
_NET = re.compile(r"^- (\S+)([^;]*);", re.MULTILINE)
_WIRE = re.compile(r"(?:ROUTED|NEW)\s+\S+([^+]*?)(?=\bNEW\b|\+|$)", re.DOTALL)
_POINT = re.compile(r"\(\s*(-?\d+|\*)\s+(-?\d+|\*)(?:\s+-?\d+)?\s*\)")


@dataclass(frozen=True)
class Component:
    """A cell's type, its lower left corner in um, and how it lies, as an index of `ORIENTATIONS`."""

    kind: str
    x_um: float
    y_um: float
    orientation: int


@dataclass(frozen=True)
class Def:
    """Components and pins by name, and the length of the wires of each net that has some."""

    components: Mapping[str, Component]
    pins: Mapping[str, tuple[float, float]]
    wire_um: Mapping[str, float]


def read_def(text: str) -> Def:
    """All of a DEF file that is asked for here."""
    units = _UNITS.search(text)
    per_um = float(units[1]) if units else 100.0
    components = {
        name: Component(kind, int(x) / per_um, int(y) / per_um, ORIENTATIONS.index(lying))
        for name, kind, x, y, lying in _COMPONENT.findall(_section(text, "COMPONENTS"))
    }
    pins = {name: (int(x) / per_um, int(y) / per_um) for name, x, y in _PIN.findall(_section(text, "PINS"))}
    wires: defaultdict[str, float] = defaultdict(float)
    for section in ("NETS", "SPECIALNETS"):
        for name, net in _NET.findall(_section(text, section)):
            for wire in _WIRE.findall(net):
                wires[name] += _length(wire) / per_um
    return Def(components, pins, dict(wires))


def _section(text: str, name: str) -> str:
    found = re.search(rf"^{name} \d+ ;(.*?)^END {name}", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def _length(wire: str) -> int:
    """The length of a path of points, of which `*` stands for what the point before has."""
    points = list(_points(wire))
    return sum(abs(x - u) + abs(y - v) for (x, y), (u, v) in pairwise(points))


def _points(wire: str) -> Iterator[tuple[int, int]]:
    x = y = 0
    for across, up in _POINT.findall(wire):
        x, y = x if across == "*" else int(across), y if up == "*" else int(up)
        yield x, y
