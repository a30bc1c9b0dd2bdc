"""Networks with identity skips run on every engine that runs the network without."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from archsim.engine import Clos, Csc, Dense, Engine, Pruned, engines
from archsim.engine.mapping import MappingError
from archsim.verification import verify
from tests.strategies import engines_of_kind
from workloads import Topology, build_layer, random_integer_network
from workloads.topology.topology import skips_of

pytestmark = pytest.mark.slow

FAMILIES: dict[str, dict[str, Any]] = {
    "dense": {"dense": {}},
    "csc": {"csc": {"fan_in": 4}, "dense": {}},
    "clos": {"butterfly": {}, "block-diagonal": {"blocks": 3}, "dense": {}},
    "pruned": {"clos": {"ingress": 4, "middle": 3, "egress": 3}, "torus": {}, "csc": {"fan_in": 4}},
}
"""What each engine runs."""


def topology(family: str, parameters: dict[str, Any], side: int) -> Topology:
    layers = (build_layer(family, side, side, **parameters), build_layer("dense", side, 5))
    return Topology(layers, skips_of(layers))


@pytest.mark.parametrize("kind", sorted(FAMILIES))
@settings(max_examples=15)
@given(data=st.data())
def test_skips_keep_the_contract(kind: str, data: st.DataObject) -> None:
    engine: Engine = data.draw(engines_of_kind(kind))
    family = data.draw(st.sampled_from(sorted(FAMILIES[kind])))
    network = random_integer_network(
        topology(family, FAMILIES[kind][family], 12),
        weight_bits=engine.weight_bits,
        activation_bits=engine.activation_bits,
        bias_share=data.draw(st.sampled_from((0.0, 1.0))),
        seed=data.draw(st.integers(0, 99)),
    )
    verification = verify(engine.map(network), inputs=2)
    assert verification.agrees, [str(difference) for difference in verification.differences]


@pytest.mark.parametrize(
    ("engine", "family", "parameters"),
    [(Dense(), "dense", {}), (Csc(), "csc", {"fan_in": 6}), (Clos(), "butterfly", {})],
)
def test_a_skip_costs_no_cycle_where_a_stage_reads_itself(
    engine: Engine, family: str, parameters: dict[str, Any]
) -> None:
    skipped = topology(family, parameters, 64)
    plain = Topology(skipped.layers)
    assert skipped.skips
    counts = [engine.map(random_integer_network(each)).count() for each in (skipped, plain)]
    assert counts[0] == counts[1]


def test_a_pruned_engine_takes_one_entry_more_a_row_where_it_does_not() -> None:
    layer = build_layer("clos", 64, 64, ingress=8, middle=8, egress=8)
    flags = skips_of((layer,))
    plain, skipped = (random_integer_network(Topology((layer,), given)) for given in ((), flags))
    diagonal = sum(int(stage.adjacency().diagonal().sum()) for stage in layer)
    counts = [Pruned().map(network).count() for network in (plain, skipped)]
    assert counts[1].macs == counts[0].macs + 64 * len(layer) - diagonal
    with pytest.raises(MappingError, match="stage 0 of the network is a pruned stage that nested counters"):
        Clos().map(skipped)
    assert set(engines) >= set(FAMILIES)
