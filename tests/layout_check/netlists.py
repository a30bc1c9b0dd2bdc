"""What is placed: engines without their memories, whose pins become ports, in cells that a router reaches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import archsim as a
from archsim.layout import Placement, Subject, place, subject_of
from archsim.netlist import synthesise_asic
from archsim.netlist.netlist import CONSTANTS, Netlist, Port
from archsim.technology import Asic, Cmos65, StandardCells
from archsim.technology.asic.abstracts import Abstracts, abstracts_of
from archsim.technology.lef import Outline, read_lef
from rtl import to_verilog
from tests.archsim.layout.problems import check, problem
from tests.layout_check.places import Places, ours
from tests.layout_check.programs import OSU018

NETWORK = "lenet-300-100-csc-x40"


class OnTracks(Cmos65):
    """The project's own cells with each pin in the middle of a site, where a vertical track passes."""

    @cached_property
    def abstracts(self) -> Abstracts:
        drawn = super().abstracts
        return replace(drawn, cells={name: self._snapped(drawn, cell) for name, cell in drawn.cells.items()})

    @staticmethod
    def _snapped(drawn: Abstracts, cell: Outline) -> Outline:
        site = drawn.site_width_um
        pins = {name: ((x // site + 0.5) * site, y) for name, (x, y) in cell.pins.items()}
        assert len(set(pins.values())) == len(pins), "two pins in one site"
        return replace(cell, pins=pins)


def without_memories(netlist: Netlist) -> Netlist:
    """The same logic, with a port wherever a memory was connected and none was yet."""
    known = {net for port in netlist.ports.values() for net in port.nets.tolist()}
    ports = dict(netlist.ports)
    for memory in netlist.memories:
        for direction, nets in (("output", memory.inputs), ("input", memory.outputs)):
            for bit, net in enumerate(nets.tolist()):
                if net >= CONSTANTS and net not in known:
                    known.add(net)
                    ports[f"{memory.name}_{direction}_{bit}"] = Port(direction, nets[bit : bit + 1])
    return replace(netlist, memories=(), ports=ports)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A netlist under a name, with its placement here and the seconds of processor time that this took; in
    cells of the project's or of a real library."""

    name: str
    subject: Subject
    placement: Placement
    placing_s: float
    is_ours: bool

    @property
    def cells(self) -> int:
        return self.subject.problem.cells

    @property
    def folder(self) -> str:
        """Its name as that of a folder."""
        return self.name.replace(",", "").replace(" ", "_")

    @cached_property
    def places(self) -> Places:
        return ours(self.placement)


def engine(pes: int, technology: StandardCells) -> Subject:
    """A CSC engine of so many PEs, mapped, without its memories."""
    design = a.DesignPoint(network=NETWORK, engine=a.Csc(pes=pes), technology=technology)
    described = to_verilog(design.mapping.hardware)
    netlist = synthesise_asic(described.text, described.top, technology).flat()
    return subject_of(without_memories(netlist), technology)


def case(name: str, pes: int, technology: StandardCells) -> Case:
    """A CSC engine of so many PEs, mapped and placed: legally, and in so many seconds of processor time."""
    subject = engine(pes, technology)
    began = time.thread_time()
    placement = place(subject.problem)
    placing_s = time.thread_time() - began
    check(placement)
    return Case(
        name=name,
        subject=subject,
        placement=placement,
        placing_s=placing_s,
        is_ours=isinstance(technology, OnTracks),
    )


class Osu018(Asic):
    """The real 180 nm library of Debian's package qflow-tech-osu018. Its two files differ by the area of
    NAND3X1 (36 and 32 um2), for which the option `lef` refuses them; to place, the outlines are enough."""

    @cached_property
    def abstracts(self) -> Abstracts:
        return abstracts_of(read_lef([OSU018 / "osu018_stdcells.lef"]), self.library)


def osu018() -> StandardCells:
    return Osu018(liberty=str(OSU018 / "osu018_stdcells.lib"), node_nm=180)


def cases() -> Iterator[Case]:
    """A PE and four of the project's cells; a PE of the real library where it is installed."""
    place(problem(cells=20, ports=4, nets=30))  # compiles what is compiled, untimed
    yield case("csc, 1 PE", 1, OnTracks())
    yield case("csc, 4 PEs", 4, OnTracks())
    if OSU018.is_dir():
        yield case("csc, 1 PE, osu018", 1, osu018())
