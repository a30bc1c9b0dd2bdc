"""A technology is added by one class that subclasses one of the two protocols; nothing else is told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import pytest

import archsim as a
from archsim.netlist_report import report_netlist
from archsim.technology import Artix7, Cmos65, Device, Quantity, Technology, technologies
from archsim.technology.memories.sram import MemoryMacro, Ports


class Cooled(Cmos65):
    """Standard cells like those at 65 nm."""

    kind: Literal["cooled"] = "cooled"  # type: ignore[assignment]


class Small(Artix7):
    """An FPGA of 7-series fabric with one device of its own."""

    primitives: ClassVar[str] = "small primitives"
    kind: Literal["small"] = "small"  # type: ignore[assignment]
    device: str = "S1"

    @classmethod
    def devices(cls) -> Mapping[str, Device]:
        held = {"lut": 9000, "lut_as_memory": 4000, "ff": 9000, "dsp": 3, "bram36_tiles": 20}
        return {"S1": Device(name="S1", family="Small", available=held)}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    added: dict[str, type[Technology]] = {"cooled": Cooled, "small": Small}
    technologies.find()
    for name, kind in added.items():
        technologies.enter(name, kind)
    yield
    for name in added:
        technologies._members.pop(name)


def point(technology: str, pes: int = 2) -> a.DesignPoint:
    return a.DesignPoint(
        network="lenet-300-100-csc-x40", engine=a.Csc(pes=pes), technology={"kind": technology}
    )


@pytest.mark.parametrize("fidelity", ["analytic", "cycle", "gate"])
def test_added_standard_cells_are_priced_mapped_and_explained(fidelity: str) -> None:
    added, own = point("cooled").simulate(fidelity), point("cmos65").simulate(fidelity)
    assert added.design["technology"] == {"kind": "cooled", "cell_type": "lstp"}
    assert (added.energy_j, added.area_mm2) == (own.energy_j, own.area_mm2)
    assert added.explain("energy_j").equals(own.explain("energy_j"))
    assert added.fit_error == own.fit_error
    assert added.technology_error == own.technology_error


@pytest.mark.slow
def test_an_added_fpga_is_counted_reported_and_refuses_what_does_not_fit() -> None:
    result = point("small").simulate("gate")
    assert result.resources == point("artix7").simulate("gate").resources
    report = report_netlist(point("small"))
    assert (report.library, report.is_fpga) == ("small primitives", True)
    with pytest.raises(a.DeviceError, match=r"technology.device is S1, which has 3 dsp .*; no device"):
        point("small", pes=4).simulate("analytic")


def test_added_technologies_are_compared_with_those_of_any_fabric() -> None:
    assert len(a.compare([point("small"), point("artix7")], "analytic")) == 2
    frame = a.compare([point("small"), point("cooled")], "analytic")
    assert list(frame["technology.kind"]) == ["small", "cooled"]


def test_a_technology_of_another_fabric_is_refused_in_a_sentence() -> None:
    class Abacus(Technology):
        kind: Literal["abacus"] = "abacus"
        fabric: ClassVar[str] = "beads"

        def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> MemoryMacro:
            return Cmos65().memory(words=words, word_bits=word_bits, ports=ports)

        def provenance(self) -> tuple[Quantity, ...]:
            return ()

    design = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(), technology=Abacus())
    assert design.simulate("analytic").cycles > 0
    with pytest.raises(
        a.Refusal, match="technology is abacus, the netlist of which is not known, allowed are"
    ):
        design.simulate("gate")
