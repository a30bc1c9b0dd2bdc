"""A design point takes what it should and refuses the rest in one sentence: field, value, what is allowed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import archsim as a
from archsim.costs.fidelity.fidelities import FIDELITIES
from archsim.costs.logic import Logic
from archsim.engine.mapping import MappingError
from archsim.technology import technologies
from workloads import load_network, quantise

GOOD: dict[str, Any] = {
    "network": "lenet-300-100-csc",
    "engine": {"kind": "csc", "pes": 16},
    "clock_hz": 100e6,
    "technology": "artix7",
}

REFUSED = [
    ({"engine": {"kind": "csc", "pes": 0}}, "engine.pes is 0, allowed are 1 to 256"),
    ({"engine": {"kind": "csc", "pes": 1000}}, "engine.pes is 1000, allowed are 1 to 256"),
    ({"engine": {"kind": "csc", "pez": 4}}, "engine.pez is not a field, allowed are kind, pes"),
    ({"engine": {"kind": ["csc"]}}, "engine is of kind ['csc'], allowed are clos, csc, dense, eie, pruned"),
    (
        {"technology": {"kind": "artix7", "power_report": "."}},
        "technology.power_report is '.', which cannot be read",
    ),
    ({"engine": {"kind": "tpu"}}, "engine is of kind 'tpu', allowed are clos, csc, dense, eie, pruned"),
    ({"engine": "csc"}, "engine is 'csc', allowed is a mapping with a kind"),
    (
        {"engine": {"kind": "csc", "weight_bits": 16, "fetch_bits": 8}},
        "engine.fetch_bits is 8, allowed are at least weight_bits (16)",
    ),
    (
        {"engine": {"kind": "pruned", "pes": 12, "gather": "banked", "index": "relative"}},
        "engine.index is relative with 12 banked PEs, allowed with banks are powers of two only",
    ),
    (
        {"engine": {"kind": "pruned", "gather": "mixed"}},
        "engine.gather is 'mixed', allowed are 'replicated', 'banked' or 'scheduled'",
    ),
    ({"clock_hz": 0}, "clock_hz is 0, allowed are 1000 to 1e+10"),
    ({"clock_hz": float("nan")}, "clock_hz is nan, allowed are"),
    ({"clok_hz": 1e6}, "clok_hz is not a field, allowed are network, engine, clock_hz, technology"),
    (
        {"technology": None},
        "technology is None, allowed is a mapping with a kind: artix7, asic, cmos, cmos65",
    ),
    ({"engine": {"kind": "csc", "pes": 1.5}}, "engine.pes is 1.5, allowed are whole numbers from 1 to 256"),
    ({"technology": "tsmc7"}, "technology is of kind 'tsmc7', allowed are artix7, asic, cmos, cmos65"),
    ({"technology": {"kind": "artix7", "device": "XC7S50"}}, "technology.device is 'XC7S50', allowed are"),
    (
        {"technology": {"kind": "artix7", "part": "x"}},
        "technology.part is not a field, allowed are kind, device",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), REFUSED)
def test_a_bad_value_is_refused_in_one_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(a.DesignError) as refused:
        a.DesignPoint(**GOOD | change)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("fidelity", ["analytic", "cycle"])
@pytest.mark.parametrize("technology", ["cmos65", "artix7", {"kind": "cmos", "node_nm": 28}])
def test_the_fastest_clock_is_what_the_critical_path_allows(technology: Any, fidelity: str) -> None:
    design = a.DesignPoint(**GOOD | {"clock_hz": "fastest", "technology": technology})
    result = design.simulate(fidelity)
    assert result.critical_path_s is not None
    assert 1 - 1e-6 < result.clock_hz * result.critical_path_s <= 1
    assert result.clock_hz % 1 == 0
    assert result.clock_met
    assert not any("clock" in warning for warning in result.warnings)
    assert design.clock_hz == result.design["clock_hz"] == "fastest"
    assert result.to_dict()["clock_hz"] == result.clock_hz
    told = design.replace(clock_hz=result.clock_hz).simulate(fidelity)
    assert (told.energy_j, told.latency_s) == (result.energy_j, result.latency_s)


def test_the_fastest_clock_of_what_nobody_timed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def untimed(*_: Any) -> Logic:
        return Logic((), None, "fitted", "nobody")

    monkeypatch.setitem(FIDELITIES, "cycle", replace(FIDELITIES["cycle"], logic=untimed))
    design = a.DesignPoint(**GOOD | {"clock_hz": "fastest"})
    with pytest.raises(a.Refusal, match="clock_hz is 'fastest', allowed are numbers in hertz: the crit"):
        design.simulate("cycle")


@pytest.mark.parametrize("field", ["network", "engine", "technology"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(a.DesignError, match=f"{field} is missing"):
        a.DesignPoint(**{name: value for name, value in GOOD.items() if name != field})


def test_a_file_says_what_python_says(tmp_path: Path) -> None:
    path = tmp_path / "design.yaml"
    path.write_text(
        "network: lenet-300-100-csc\n"
        "engine: {kind: csc, pes: 16, weight_bits: 8, activation_bits: 8, }\n"
        "clock_hz: 100e6\n"
        "technology: artix7\n"
    )
    from_python = a.DesignPoint(
        network="lenet-300-100-csc",
        engine=a.Csc(pes=16),
        clock_hz=100e6,
        technology=a.Artix7(device="XC7A100T"),
    )
    assert a.DesignPoint.from_file(path).model_dump() == from_python.model_dump()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("network: [", "is not YAML"),
        ("- 1\n", "holds list, allowed is a mapping"),
        (
            "!!python/object/apply:os.system ['true']",
            "has the tag !!python/object/apply:os.system",
        ),
    ],
)
def test_a_file_that_is_no_design_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "design.yaml"
    path.write_text(text)
    with pytest.raises(a.DesignError, match=sentence):
        a.DesignPoint.from_file(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(a.DesignError, match=r"nowhere\.yaml cannot be read \(no such file"):
        a.DesignPoint.from_file(tmp_path / "nowhere.yaml")


def test_an_engine_refuses_a_topology_that_it_cannot_run() -> None:
    design = a.DesignPoint(**GOOD | {"engine": {"kind": "clos"}})
    with pytest.raises(
        a.MappingError,
        match=r"stage \d of the network is a csc stage that .*, allowed on a clos engine are dense blocks at",
    ):
        design.simulate("analytic")


def test_an_unknown_network_lists_the_zoo() -> None:
    with pytest.raises(ValueError, match=r"network is 'lenet', allowed are .* lenet-300-100-csc"):
        a.DesignPoint(**GOOD | {"network": "lenet"}).simulate("analytic")


def test_an_unknown_fidelity_lists_those_there_are() -> None:
    with pytest.raises(a.FidelityError, match="fidelity is 'spice', allowed are analytic, cycle, rtl, gate"):
        a.DesignPoint(**GOOD).simulate("spice")


def test_a_design_that_does_not_fit_says_what_ran_out_and_what_would_do() -> None:
    design = a.DesignPoint(
        **GOOD | {"engine": {"kind": "csc", "pes": 64}, "technology": a.Artix7(device="XC7A12T")}
    )
    with pytest.raises(
        a.DeviceError,
        match=r"technology.device is XC7A12T, which has .* where the design needs .* would do is",
    ):
        design.simulate("analytic")


def test_equal_design_points_are_equal_and_hash_alike_however_their_technology_is_given() -> None:
    for given in ("artix7", {"kind": "artix7"}, a.Artix7(), {"kind": "artix7", "toggle_rate": 0.125}):
        assert a.DesignPoint(**GOOD | {"technology": given}) == a.DesignPoint(**GOOD)
        assert hash(a.DesignPoint(**GOOD | {"technology": given})) == hash(a.DesignPoint(**GOOD))
    assert a.DesignPoint(**GOOD | {"technology": "cmos65"}) != a.DesignPoint(**GOOD)


def test_the_schema_of_a_design_point_tells_the_options_of_every_technology() -> None:
    names, kinds = a.DesignPoint.model_json_schema()["properties"]["technology"]["anyOf"]
    assert names["enum"] == sorted(technologies)
    told = {kind["properties"]["kind"]["const"]: kind["properties"] for kind in kinds["oneOf"]}
    assert told.keys() == set(technologies)
    assert "XC7Z020" in told["artix7"]["device"]["enum"]
    assert told["cmos"]["cell_type"]["enum"] == ["lstp", "lop", "hp"]


def test_sizes_that_the_hardware_does_not_support_are_refused_in_its_words() -> None:
    network = quantise(load_network("lenet-300-100-clos"), 8, 8)
    with pytest.raises(MappingError, match=r"^pes is 300, allowed are 1 to 256$"):
        _ = a.Clos.model_construct(pes=300).map(network).sizes
