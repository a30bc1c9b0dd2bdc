"""Steps over the number of PEs, in 65 nm and in an Artix-7, with fitted logic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from archsim import Clos, Csc, Dense, DesignPoint, Engine
from reports.studies.closnets_fpl2018.hardware import NETWORK

CELLS, FABRIC = "cmos65", "artix7"
PES = {CELLS: (4, 8, 16, 32), FABRIC: (4, 8, 16)}
CLOCK_HZ = {CELLS: 100e6, FABRIC: 50e6}
NETWORKS: tuple[tuple[str, type[Engine]], ...] = (
    ("clos", Clos),
    ("csc", Csc),
    ("clos-x40", Clos),
    ("csc-x40", Csc),
    ("dense", Dense),
)


@dataclass(frozen=True)
class Sized:
    """A step of training: its time and energy, and what the engine takes, an area or resources."""

    technology: str
    network: str
    pes: int
    time_s: float
    energy_j: float
    path_s: float
    area_mm2: float | None
    resources: tuple[tuple[str, int], ...] = ()

    @property
    def taken(self) -> dict[str, int]:
        return dict(self.resources)


def sized_steps(weight_bits: int) -> list[Sized]:
    """All of them, at fidelity `analytic`. One that does not fit the device is left out."""
    return list(_sized(weight_bits))


def _sized(weight_bits: int) -> Iterator[Sized]:
    from archsim import DeviceError

    for technology, numbers in PES.items():
        for network, engine in NETWORKS:
            for pes in numbers:
                point = DesignPoint(
                    network=NETWORK.format(network),
                    engine=engine(pes=pes),
                    clock_hz=CLOCK_HZ[technology],
                    technology=technology,
                    training={"weight_bits": weight_bits},
                )
                try:
                    result = point.simulate("analytic")
                except DeviceError:
                    continue
                yield Sized(
                    technology=technology,
                    network=network,
                    pes=pes,
                    time_s=result.interval_cycles / CLOCK_HZ[technology],
                    energy_j=result.cost("energy_j"),
                    path_s=result.cost("critical_path_s"),
                    area_mm2=result.area_mm2,
                    resources=tuple((result.resources or {}).items()),
                )


def cells(sized: Sequence[Sized]) -> Iterator[tuple[Any, ...]]:
    """A line a network and number of PEs in 65 nm."""
    for one in sized:
        if one.technology == CELLS:
            yield one.network, one.pes, one.time_s, one.energy_j, one.area_mm2, one.path_s


def fabric(sized: Sequence[Sized]) -> Iterator[tuple[Any, ...]]:
    """A line a network and number of PEs in the FPGA, with a tile of block RAM for two halves."""
    for one in sized:
        if one.technology == FABRIC:
            taken = one.taken
            tiles = taken["bram36"] + taken["bram18"] / 2
            yield (
                one.network,
                one.pes,
                one.time_s,
                one.energy_j,
                *(taken[name] for name in ("lut", "ff", "dsp")),
                tiles,
                one.path_s,
            )


def best(sized: Sequence[Sized]) -> dict[tuple[str, str], Sized]:
    """By technology and network the number of PEs at which energy times time is least."""
    found: dict[tuple[str, str], Sized] = {}
    for one in sized:
        key = one.technology, one.network
        if key not in found or one.energy_j * one.time_s < found[key].energy_j * found[key].time_s:
            found[key] = one
    return found
