"""ECP5: what its primitives take, the memories that Yosys builds, and costs that nobody published."""

from __future__ import annotations

import pytest

import archsim as a
from archsim.costs.result import MetricError
from archsim.netlist import synthesise_fpga
from archsim.technology import Ecp5, FpgaResources
from tests.archsim.netlist.sample import engine, memory_module

MEMORIES = [(8, 4), (16, 8), (512, 36), (1024, 18), (3000, 9)]


def test_devices_hold_what_the_data_sheet_says() -> None:
    assert {name: part.available for name, part in Ecp5.devices().items()} == {
        "LFE5U-25F": {"lut4": 24288, "ff": 24288, "ebr": 56, "mult18": 28},
        "LFE5U-45F": {"lut4": 43848, "ff": 43848, "ebr": 108, "mult18": 72},
        "LFE5U-85F": {"lut4": 83640, "ff": 83640, "ebr": 208, "mult18": 156},
    }
    assert Ecp5().shortage(FpgaResources(mult18=64)) == (
        "technology.device is LFE5U-25F, which has 28 mult18 where the design needs 64; "
        "the smallest device that would do is LFE5U-45F"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("words", "bits"), MEMORIES)
def test_block_rams_are_as_many_as_yosys_builds(words: int, bits: int) -> None:
    made = synthesise_fpga(memory_module("kept", words, bits), "kept", Ecp5())
    memory = Ecp5().memory(words=words, word_bits=bits)
    assert memory.resources["ebr"] == made.resources["ebr"]
    assert (memory.built_as == "bram") == (made.resources["ebr"] > 0)


def test_an_engine_is_counted_in_its_own_resources_and_has_no_path() -> None:
    made = synthesise_fpga(engine(2), "archsim_engine", Ecp5())
    assert made.components["pe"].resources["mult18"] == 1
    assert made.resources["mult18"] == 2
    assert made.resources["lut4"] > 100
    assert made.resources["ff"] > 50
    assert made.critical_path_s is None
    assert made.critical_path == ()


def point(**changes: object) -> a.DesignPoint:
    given = {"network": "lenet-300-100-csc-x40", "engine": a.Csc(pes=2), "technology": "ecp5"}
    return a.DesignPoint(**given | changes)


@pytest.mark.slow
def test_the_gates_tell_resources_and_why_nothing_else() -> None:
    result = point().simulate("gate")
    assert list(result.resources or {}) == ["lut4", "ff", "ebr", "mult18"]
    assert (result.resources or {})["mult18"] == 2
    assert result.counts == point(technology="artix7").simulate("cycle").counts
    assert set(result.missing) == {"energy_j", "power_w", "dynamic_power_w", "leakage_w", "critical_path_s"}
    for metric in result.missing:
        assert getattr(result, metric) is None
        assert result.to_dict()[metric] is None
    with pytest.raises(MetricError, match=r"metric is 'energy_j', which is missing \(no public report"):
        result.explain("energy_j")
    assert int(result.explain("lut4").contribution.sum()) == (result.resources or {})["lut4"]


def test_without_a_fit_there_are_counts_and_the_reason() -> None:
    result = point().simulate("analytic")
    assert result.cycles == point(technology="cmos65").simulate("analytic").cycles
    assert result.resources == {}
    assert result.to_dict()["resources"] == {"lut4": None, "ff": None, "ebr": None, "mult18": None}
    assert result.missing["lut4"] == (
        "technology is ecp5, whose logic nobody calibrated, allowed is fidelity gate"
    )
    assert "no public report" in result.missing["energy_j"]


def test_designs_of_two_families_are_compared_in_what_both_have() -> None:
    frame = a.compare([point(technology="artix7"), point()], "analytic")
    assert frame.cycles_ratio[1] == 1
    assert frame.energy_j.isna()[1]
    assert frame.energy_j_ratio.isna()[1]
    frame = a.compare([point(), point(technology="artix7")], "analytic")
    assert "energy_j_ratio" not in frame.columns
