"""The design points of the comparison, and their results side by side.

Five designs on the same skeleton with 16 PEs, 8-bit integers and fetches of 64 bits, in 65 nm CMOS and on an
Artix-7, at a clock that every one of them meets. On the FPGA a fetch of 64 bits is one RAMB36 with its 72-bit
port, for weights and indices alike; up to 36 bits it is a RAMB18, half of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from reports.side_by_side import SideBySide

if TYPE_CHECKING:
    from archsim import DesignPoint, Result

REFERENCE = "csc"
BASELINES = ("pruned replicated", "pruned banked")
ENGINES = {
    "csc": {"kind": "csc"},
    "clos": {"kind": "clos"},
    "pruned replicated": {"kind": "pruned", "gather": "replicated"},
    "pruned banked": {"kind": "pruned", "gather": "banked"},
    "dense": {"kind": "dense"},
}
SIZES = {"pes": 16, "weight_bits": 8, "activation_bits": 8, "fetch_bits": 64}
TECHNOLOGIES = {
    "cmos65": (100e6, {"kind": "cmos65"}),
    "artix7": (50e6, {"kind": "artix7", "device": "XC7A100T"}),
}
PLACES = {"cmos65": "65 nm CMOS", "artix7": "Artix-7 XC7A100T"}
COMPRESSIONS = ("", "-x40")
"""Endings of the networks' names: the first compression, and a stronger one."""

RATIOS = {
    "power at equal throughput": "equal_throughput_power",
    "dynamic power at equal throughput": "equal_throughput_dynamic_power",
    "energy": "energy_j",
    "dynamic energy": "dynamic_energy_j",
    "area": "area_mm2",
    "LUT": "lut",
    "FF": "ff",
    "DSP": "dsp",
    "BRAM36 tiles": "bram_tiles",
    "latency": "latency_s",
    "stored bits": "stored_bits",
    "memory traffic": "traffic_bits",
}
"""What a ratio is shown of, and the name of the figure. The powers themselves are each at a design's own
throughput, and no ratio is taken of them."""

Sides = Mapping[tuple[str, str], SideBySide]
"""Technology and ending of the networks' names, to the designs there."""


class Point(NamedTuple):
    """A design point of the study: technology, ending of the network's name, design."""

    technology: str
    ending: str
    design: str

    @property
    def file_name(self) -> str:
        return f"{self.technology}-{self.design.replace(' ', '-')}{self.ending}"


def design_points() -> dict[Point, DesignPoint]:
    """All design points, the slowest to synthesise first, so that two processes end together."""
    from archsim import DesignPoint

    order = sorted(ENGINES, key=lambda name: name != "pruned banked")
    return {
        Point(technology, ending, design): DesignPoint(
            network=f"lenet-300-100-{design.split()[0]}{ending}",
            engine=ENGINES[design] | SIZES,
            clock_hz=clock_hz,
            technology=dict(options),
        )
        for technology, (clock_hz, options) in sorted(TECHNOLOGIES.items())
        for design in order
        for ending in COMPRESSIONS
        if not (design == "dense" and ending)
    }


def side_by_side(results: Mapping[Point, Result]) -> Sides:
    """The results by technology and ending, each in the order of the designs."""
    return {
        (technology, ending): SideBySide(
            technology,
            {
                design: results[Point(technology, ending, design)]
                for design in ENGINES
                if Point(technology, ending, design) in results
            },
            REFERENCE,
            BASELINES,
        )
        for technology in TECHNOLOGIES
        for ending in COMPRESSIONS
    }


def technologies_of(sides: Sides) -> list[str]:
    """The technologies, once each."""
    return list(dict.fromkeys(technology for technology, _ in sides))


def settings_of(sides: Sides, technology: str) -> Iterator[SideBySide]:
    """What was compared in one technology: each compression, the first first."""
    return (side for (name, _), side in sides.items() if name == technology)
