"""What a design point is refused for is named as it is written: `engine.pes`, and not `pes`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import archsim as a
from archsim.engine import engines
from archsim.engine.training.options import Training
from archsim.refusals import FIELD
from archsim.technology import technologies
from workloads.refusal import Refusal

INSIDE = {*Training.model_fields}.union(
    *(made.model_fields for made in (*engines.values(), *technologies.values()))
)
"""The fields of what a design point has inside: none is a field of the design point itself."""

GOOD = {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc", "pes": 4}, "technology": "cmos65"}
PRUNED = "lenet-300-100-pruned-x40"
SHARED: dict[str, Any] = {"kind": "csc", "pes": 4, "banks": 4, "requantiser": "shared"}
LATE: dict[str, tuple[dict[str, Any], str]] = {
    "PEs of a training": (
        {"engine": {"kind": "csc", "pes": 5}, "training": {}},
        "engine.pes is 5, allowed are powers of two from 2 to 256",
    ),
    "rounding": (
        {"training": {"rounding": "stochastic"}},
        "training.rounding is 'stochastic', allowed are nearest, or a csc layer of fan_in 100",
    ),
    "rate": ({"training": {"rate": 2.0**-15}}, "training.rate is 3.0517578125e-05, allowed are "),
    "requantiser": ({"engine": SHARED}, "engine.requantiser is shared, allowed is each where there are as"),
    "codebook": (
        {"network": PRUNED, "engine": {"kind": "eie", "codebook_bits": 2}},
        "engine.codebook_bits is 2, allowed is 0: the network's stage 0 has ",
    ),
    "index": (
        {"network": PRUNED, "engine": {"kind": "pruned", "index": "blocks"}},
        "engine.index is 'blocks', allowed are those of networks with rows or columns",
    ),
    "fetch": (
        {"network": PRUNED, "engine": {"kind": "pruned", "fetch_bits": 8, "index": "absolute"}},
        "engine.fetch_bits is 8, allowed are at least ",
    ),
    "fetch of a schedule": (
        {"network": PRUNED, "engine": {"kind": "pruned", "fetch_bits": 8, "gather": "scheduled"}},
        "engine.fetch_bits is 8, allowed are at least ",
    ),
}


@pytest.mark.parametrize("case", LATE)
def test_what_shows_only_with_the_network_is_named_by_its_path(case: str, tmp_path: Path) -> None:
    changes, said = LATE[case]
    design = a.DesignPoint(**GOOD | changes)
    for ask in (lambda: design.simulate("analytic"), lambda: design.mapping, lambda: a.verify(design)):
        with pytest.raises(Refusal) as refused:
            ask()
        assert str(refused.value).startswith(said)


def test_an_engine_alone_names_its_own_parameter() -> None:
    network = a.DesignPoint(**GOOD).integer
    with pytest.raises(Refusal, match=r"^requantiser is shared"):
        a.Csc(**{name: value for name, value in SHARED.items() if name != "kind"}).map(network)


def test_a_sweep_keeps_the_path(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(
        "base: {network: lenet-300-100-csc-x40, engine: {kind: csc}, technology: cmos65, training: {}}\n"
        "axes: {engine.pes: [4, 5]}\n",
        encoding="utf-8",
    )
    rows = a.sweep(tmp_path / "space.yaml", out=tmp_path / "out", workers=0).frame
    assert [str(error)[:15] for error in rows["error"].dropna()] == ["engine.pes is 5"]


values = st.sampled_from((0, 1, 2, 3, 4, 5, 8, 9, 12, 16, 33, 64, 128, 300, True, False, "auto"))
WORDS: dict[str, tuple[Any, ...]] = {
    "gather": ("replicated", "banked", "scheduled"),
    "index": ("auto", "absolute", "relative", "grouped", "blocks"),
    "requantiser": ("auto", "each", "shared"),
    "rounding": ("nearest", "stochastic"),
    "loss": ("margin", "squared"),
    "overlap": ("none", "pipelined"),
    "rate": (2.0**-3, 1.0, 2.0**-15, 3),
    "weights": ("initial", "trained"),
    "pes": (2, 4, 5, 8),
}


@st.composite
def sections(draw: Any, /, model: Any, most: int, **kept: Any) -> dict[str, Any]:
    """A few fields of a model, with values that they may have and not have."""
    names = draw(st.lists(st.sampled_from([*model.model_fields]), unique=True, max_size=most))
    drawn = {name: draw(st.sampled_from(WORDS[name]) if name in WORDS else values) for name in names}
    return drawn | kept


@st.composite
def designs(draw: Any) -> dict[str, Any]:
    """Design points, of which most are refused for one field or another."""
    kind = draw(st.sampled_from([*engines]))
    network = draw(st.sampled_from((GOOD["network"], PRUNED, "lenet-300-100-clos-x40")))
    fabric = draw(st.sampled_from(("cmos65", "cmos", "artix7", "ecp5")))
    technology = draw(sections(technologies[fabric], 1, kind=fabric))
    if engines[kind].trains and draw(st.booleans()):
        engine = {"kind": kind, "pes": draw(st.sampled_from(WORDS["pes"]))}
        training = draw(sections(Training, 2))
        return {"network": network, "engine": engine, "technology": technology, "training": training}
    engine = draw(sections(engines[kind], 3, kind=kind))
    return {"network": network, "engine": engine, "technology": technology}


@settings(max_examples=60)
@given(designs())
def test_no_refusal_names_a_field_without_its_path(values: dict[str, Any]) -> None:
    try:
        a.DesignPoint(**values).simulate("analytic")
    except Refusal as refused:
        said = str(refused)
    else:
        return
    field = FIELD.match(said)
    assert field is None or field[1] not in INSIDE, said
