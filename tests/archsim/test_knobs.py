"""The parameters of an engine: what does not go together is refused, and what is left open is settled."""

from __future__ import annotations

from typing import Any

import pytest

import archsim as a
from archsim.engine import engines
from archsim.engine.mapping import MappingError
from workloads import load_network, quantise


def point(network: str, **engine: Any) -> a.DesignPoint:
    return a.DesignPoint(network=network, engine=engine, clock_hz=100e6, technology="cmos65")


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        (
            {"kind": "pruned", "gather": "banked", "requantiser": "shared"},
            "engine.requantiser is shared, allowed with a banked gather are auto and each",
        ),
        (
            {"kind": "pruned", "gather": "scheduled", "requantiser": "shared"},
            "engine.requantiser is shared, allowed with a scheduled gather are auto and each",
        ),
        (
            {"kind": "pruned", "gather": "scheduled", "route_register": True},
            "engine.route_register is true, allowed with a scheduled gather is false",
        ),
        (
            {"kind": "pruned", "gather": "scheduled", "index": "relative"},
            "engine.index is relative, allowed with a scheduled gather are auto and absolute, for entries "
            "are not in order of address",
        ),
        ({"kind": "dense", "fetch_bits": 4}, "engine.fetch_bits is 4, allowed are 8 to 128 or 'auto'"),
        (
            {"kind": "csc", "product_register": "maybe"},
            "engine.product_register is 'maybe', allowed are true, false or 'auto'",
        ),
        (
            {"kind": "clos", "requantiser": "none"},
            "engine.requantiser is 'none', allowed are 'auto', 'each' or 'shared'",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(engine: dict[str, Any], sentence: str) -> None:
    with pytest.raises(a.DesignError) as refused:
        point("lenet-300-100-pruned", **engine)
    assert str(refused.value) == sentence


def test_a_shared_requantiser_needs_fewer_banks_than_pes() -> None:
    network = quantise(load_network("lenet-300-100-dense"), 8, 8)
    with pytest.raises(MappingError, match=r"^requantiser is shared, allowed is each"):
        a.Dense(pes=1, requantiser="shared").map(network)


@pytest.mark.parametrize("kind", sorted(engines))
@pytest.mark.parametrize("fabric", ["asic", "fpga"])
def test_nothing_is_left_open_on_a_fabric(kind: str, fabric: str) -> None:
    make: Any = engines[kind]
    settled = make().settled(fabric)
    left = {name for name in type(settled).model_fields if getattr(settled, name) == "auto"}
    assert left <= {"requantiser", "index", "banks", "reads", "zeros_bits"}
    assert make(fetch_bits=16).settled(fabric).fetch_bits == 16


def test_a_result_says_what_the_engine_was_settled_to() -> None:
    design = point("lenet-300-100-clos-x40", kind="clos")
    engine = design.mapping.engine
    assert (engine.fetch_bits, engine.requantiser) == (64, "shared")
    assert a.Clos.model_validate(engine.model_dump()).map(design.integer).count() == design.mapping.count()
