"""The capacitance of wires by the rules of a process: the routing layers of its LEF files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.technology.lef import COMMENT, LefError
from archsim.technology.liberty.text import liberty_text

LAYER = re.compile(r"^\s*LAYER\s+(\S+)\s*$(.*?)^\s*END\s+\1\s*$", re.MULTILINE | re.DOTALL)
_ROUTING = re.compile(r"\bTYPE\s+ROUTING\s*;")
_AT_START = r"(?:^|;)\s*"
_STATEMENTS = {
    "WIDTH": re.compile(rf"{_AT_START}WIDTH\s+([^\s;]+)\s*;", re.MULTILINE),
    "CAPACITANCE CPERSQDIST": re.compile(
        rf"{_AT_START}CAPACITANCE\s+CPERSQDIST\s+([^\s;]+)\s*;", re.MULTILINE
    ),
    "EDGECAPACITANCE": re.compile(rf"{_AT_START}EDGECAPACITANCE\s+([^\s;]+)\s*;", re.MULTILINE),
}
_PF = 1e-12
WIDER = 3.0
"""Layers whose wires are more than this times as wide as those of the first signal layer are for supplies and
clocks. The sixth metal of osu018 is 1.7 times as wide, the top metals of ihp-sg13g2 8 and 10 times."""


@dataclass(frozen=True)
class Layer:
    """A routing layer: the width of its wires in um, and what a um of one has against what lies below and
    above, in farad, its sides included; None where the file does not state it."""

    name: str
    width_um: float
    f_per_um: float | None


def read_layers(paths: Iterable[Path]) -> tuple[Layer, ...]:
    """The routing layers of all files, from the lowest; of one that several files name the first that states
    most is taken.

    A wire has CPERSQDIST times its width and twice EDGECAPACITANCE (LEF/DEF 5.8 Language Reference, layer of
    type routing), both in pF. Raises LefError where one of them, or the width, is no number that can be.
    """
    layers: dict[str, Layer] = {}
    for path in paths:
        for name, text in LAYER.findall(COMMENT.sub("", liberty_text(path))):
            if not _ROUTING.search(text):
                continue
            given = {what: _number(path, name, what, text) for what in _STATEMENTS}
            width_um, area, edge = given.values()
            if width_um is None:
                continue
            f_per_um = None
            if area is not None and edge is not None and area + edge > 0:
                f_per_um = _PF * (area * width_um + 2 * edge)
            known = layers.get(name)
            if known is None or known.f_per_um is None:
                layers[name] = Layer(name, width_um, f_per_um)
    return tuple(layers.values())


def _number(path: Path, layer: str, what: str, text: str) -> float | None:
    """What a layer states; None where it does not."""
    told = _STATEMENTS[what].search(text)
    if told is None:
        return None
    least = "above 0" if what == "WIDTH" else "of 0 or more"
    try:
        value = float(told[1])
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and (value > 0 or (value == 0 and what != "WIDTH"))):
        raise LefError(
            f"lef is {str(path)!r}, whose layer {layer} has {what} {told[1]!r}, allowed are numbers {least}"
        )
    return value


def signal_layers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The layers that most wires of signals are on and whose capacitance is stated.

    Not the first, which pins and wires inside the cells leave little of, nor wide ones at the top. What lies
    on which of the others only a router knows, so that all count alike.
    """
    above = layers[1:]
    return tuple(
        layer for layer in above if layer.f_per_um is not None and layer.width_um <= WIDER * above[0].width_um
    )


def mean_f_per_um(layers: Sequence[Layer]) -> float:
    """What a um of wire has in the mean of layers that state it. Of ihp-sg13g2 it is 0.0914 fF, where the
    parasitics that OpenROAD's flow was fitted to, neighbours included, give 0.173 fF."""
    stated = [layer.f_per_um for layer in layers if layer.f_per_um is not None]
    return sum(stated) / len(stated)
