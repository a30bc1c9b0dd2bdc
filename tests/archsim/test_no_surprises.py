"""Whatever is given, a design point runs or is refused in a sentence of ours."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings, strategies as st

import archsim as a
from workloads import Calibration, PrunedStage, Topology, TrainedNetwork, parse_recipe
from workloads.refusal import Refusal

NETWORKS = ("lenet-300-100-csc-x40", "lenet-300-100-pruned-x40", "nosuch", "/dev", "", "\0", "网.npz")
ODD: tuple[Any, ...] = (
    *(
        0,
        -1,
        1,
        3,
        257,
        10**30,
        1.5,
        45.0,
        1e308,
        math.nan,
        math.inf,
        -math.inf,
        np.int64(4),
        np.float32(0.5),
    ),
    *(
        "16",
        "many",
        "",
        "1e3",
        "auto",
        b"x",
        None,
        True,
        False,
        (),
        [],
        {},
        [1],
        {"a": 1},
        {1: 2},
        {"kind": []},
    ),
)
KINDS: tuple[Any, ...] = ("csc", "clos", "dense", "pruned", "Csc", "", None, 3, ["csc"], {}, True)
PARAMETERS = ("pes", "weight_bits", "activation_bits", "fetch_bits", "gather", "index", "zero_gating", "odd")
OPTIONS = (
    "node_nm",
    "vdd_v",
    "flavour",
    "cell_type",
    "device",
    "toggle_rate",
    "liberty",
    "power_report",
    "odd",
)
odd = st.sampled_from(ODD)


def some(names: tuple[str, ...], likely: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A few of these fields, with what they may have and what they may not."""
    values = {name: odd | st.sampled_from((likely.get(name, 8), 8)) for name in names}
    return st.fixed_dictionaries({}, optional=values)


engine_values = st.builds(
    lambda kind, rest: {"kind": kind, **rest},
    st.sampled_from(KINDS[:4]) | st.sampled_from(KINDS),
    some(PARAMETERS, {"gather": "banked", "index": "absolute", "zero_gating": True}),
)
technology_values = st.builds(
    lambda kind, rest: {"kind": kind, **rest},
    st.sampled_from(("cmos65", "cmos", "artix7", "asic", "ecp5", "x", None)),
    some(OPTIONS, {"node_nm": 45, "vdd_v": 0.9, "device": "XC7A35T", "cell_type": "hp", "toggle_rate": 0.2}),
)
designs = st.fixed_dictionaries(
    {
        "network": st.sampled_from(NETWORKS[:2]) | st.sampled_from(NETWORKS) | odd,
        "engine": engine_values | odd | st.sampled_from(KINDS),
        "technology": technology_values | odd | st.sampled_from(("cmos65", "artix7", "x")),
    },
    optional={
        "clock_hz": odd | st.sampled_from((1e8, 100, "100 MHz", 1e6)),
        "inputs": odd,
        "odd": odd,
    },
)


def said_of(work: Any) -> str:
    """What a refusal says; nothing where there is none. Anything else that is raised fails the test."""
    try:
        work()
    except Refusal as refused:
        return str(refused)
    return ""


@settings(max_examples=300)
@given(values=designs, fidelity=st.sampled_from(("analytic", "analytic", "cycle", "", None, 3, [])))
def test_any_design_runs_or_is_refused_in_a_sentence(values: dict[str, Any], fidelity: Any) -> None:
    said = said_of(lambda: a.DesignPoint(**values).simulate(fidelity).to_dict())
    assert "\n" not in said
    assert len(said) < 1000


@settings(max_examples=200)
@given(values=engine_values)
def test_any_engine_is_made_or_refused_in_a_sentence(values: dict[str, Any]) -> None:
    kind = values.pop("kind")
    if isinstance(kind, str) and kind in a.engines:
        assert "\n" not in said_of(lambda: a.engines[kind](**values))


recipes = st.fixed_dictionaries(
    {"name": st.just("odd") | odd, "inputs": st.just(784) | odd, "epochs": st.just(1) | odd},
    optional={
        "data": odd,
        "layers": st.lists(
            st.fixed_dictionaries(
                {"family": st.sampled_from(("dense", "csc", "x")) | odd, "outputs": st.just(10) | odd},
                optional={"fan_in": odd, "skips": odd},
            ),
            max_size=2,
        )
        | odd,
        "rate": st.just({"peak": 0.1}) | odd,
        "batch": odd,
        "seed": odd,
        "pruning": odd,
        "growth": odd,
        "bias": odd,
    },
)


@settings(max_examples=200)
@given(values=recipes | odd)
def test_any_recipe_is_taken_or_refused_in_a_sentence(values: Any) -> None:
    assert "\n" not in said_of(lambda: parse_recipe(values))


LINES = st.sampled_from(
    (
        *("network: lenet-300-100-csc-x40", "engine: {kind: csc}", "engine: csc", "technology: cmos65"),
        *(
            "technology: {kind: cmos, node_nm: 045}",
            "technology: {kind: cmos, node_nm: true}",
            "clock_hz: 1e8",
        ),
        *("clock_hz: 100", "clock_hz: 1:30", "\tclock_hz: 1", "engine: {kind: csc, pes: 2, pes: 4}", "- 1"),
        *(
            "? [a]",
            "1: 2",
            "null: 1",
            "<<: {a: 1}",
            "a: &a [*a]",
            "--- ",
            "engine: !!set {csc}",
            "'",
            "{",
            "é",
        ),
    )
)


@settings(max_examples=200)
@given(lines=st.lists(LINES, max_size=5), encoding=st.sampled_from(("utf-8", "utf-16", "latin-1")))
def test_any_design_file_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], encoding: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "design.yaml"
    file.write_bytes("\n".join(lines).encode(encoding))
    said = said_of(lambda: a.DesignPoint.from_file(file))
    assert "\n" not in said
    assert said or lines


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"clock_hz": 100}, "clock_hz is 100, .* was 100 MHz meant, which is 100e6?"),
        ({"clock_hz": "100 MHz"}, "clock_hz is '100 MHz', .*: write 100e6"),
        ({"clock_hz": "2.5GHz"}, "write 2.5e9"),
        ({"clock_hz": True}, "clock_hz is True, allowed are numbers in hertz"),
        ({"engine": {"kind": "csc", "pes": True}}, "engine.pes is True, allowed are whole numbers"),
        ({"engine": {"kind": "csc", "pes": "16"}}, "engine.pes is '16', allowed are whole numbers"),
        ({"engine": {"kind": "csc", 1: 2}}, "engine has the field 1, allowed are names of fields"),
        (
            {"technology": {"kind": "cmos", "vdd_v": "0.9"}},
            "technology.vdd_v is '0.9', allowed are more than 0 to 5",
        ),
        ({"technology": {"kind": "cmos", "node_nm": True}}, "technology.node_nm is True, allowed are"),
    ],
)
def test_what_looks_like_a_number_and_is_none_is_refused(change: dict[str, Any], said: str) -> None:
    good = {"network": NETWORKS[0], "engine": a.Csc(), "technology": "cmos65"}
    with pytest.raises(a.DesignError, match=said):
        a.DesignPoint(**good | change)


def test_numbers_of_numpy_are_numbers() -> None:
    point = a.DesignPoint(
        network=NETWORKS[0],
        engine={"kind": "csc", "pes": np.int64(4)},
        technology={"kind": "cmos", "node_nm": np.int32(45), "vdd_v": np.float64(0.9)},
        clock_hz=np.float32(1e8),
    )
    plain = a.DesignPoint(
        network=NETWORKS[0],
        engine=a.Csc(pes=4),
        technology=a.Cmos(node_nm=45, vdd_v=0.9),
        clock_hz=1e8,
    )
    assert point == plain


@pytest.mark.parametrize("gather", ["replicated", "banked"])
@pytest.mark.parametrize("technology", ["cmos65", "artix7"])
def test_a_network_that_keeps_no_weight_is_costed(tmp_path: Path, technology: str, gather: str) -> None:
    nothing = sp.csr_matrix((10, 20))
    stage = PrunedStage(20, 10, nothing.indptr.astype(np.int64), nothing.indices.astype(np.int64))
    ranges = Calibration((99.0, 99.9, 99.99, 100.0), ((1.0, 1.0, 1.0, 1.0),))
    TrainedNetwork("nothing", Topology(((stage,),)), (np.zeros(0, np.float32),), ranges, recipe={}).save(
        tmp_path / "nothing.npz"
    )
    engine = {"kind": "pruned", "pes": 4, "gather": gather}
    point = a.DesignPoint(network=str(tmp_path / "nothing.npz"), engine=engine, technology=technology)
    for fidelity in ("analytic", "cycle", "rtl"):
        result = point.simulate(fidelity)
        told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
        assert (told["macs"], told["stored_weights"], told["compression"]) == (0, 0, None)
        assert result.cost("energy_j") > 0
    assert a.compare([point, point.replace(engine=engine | {"pes": 2})], "analytic").cycles.min() > 0
    assert "nothing" in repr(point.trained)
