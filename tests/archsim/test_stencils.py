"""Stencils run without an index: hypercubes by exclusive or, tori on rings, each word of a row read once."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archsim.engine import Csc, Pruned
from archsim.engine.csc import CscMapping
from archsim.engine.lockstep.stencil import MOST_PADDING, Stencil, stencil_of
from archsim.engine.mapping import MappingError
from archsim.verification import verify
from tests.strategies import Case, engines_of_kind
from workloads import (
    CscStage,
    DenseStage,
    PrunedStage,
    Stage,
    Topology,
    build_layer,
    fit_budget,
    random_integer_network,
)
from workloads.families import families
from workloads.topology.topology import skips_of

pytestmark = pytest.mark.slow

STENCILS = ("hypercube", "torus")
EXAMPLES = [(name, ex.n_in, ex.n_out, ex.parameters) for name in STENCILS for ex in families[name].examples]


def mapped(*stages: Stage, **options: Any) -> CscMapping:
    mapping = Csc(**options).map(random_integer_network(Topology((stages,))))
    assert isinstance(mapping, CscMapping)
    return mapping


@st.composite
def layers(draw: st.DrawFn, n_in: int) -> tuple[Stage, ...]:
    """A layer of a stencil, or of something else that the engine runs beside them."""
    n_out = draw(st.integers(2, 40))
    kind = draw(st.sampled_from(("hypercube", "torus", "csc", "dense")))
    if kind == "hypercube":
        return build_layer(kind, n_in, n_out, depth=draw(st.integers(2, 4)))
    if kind == "torus":
        shape = {"dimensions": draw(st.integers(1, 3)), "radius": draw(st.integers(1, 2))}
        return build_layer(kind, n_in, n_out, **shape, depth=draw(st.integers(2, 3)))
    return build_layer(kind, n_in, n_out, **({"fan_in": 3} if kind == "csc" else {}))


@st.composite
def stencil_cases(draw: st.DrawFn, most_pes: int = 16) -> Case:
    """A network of stencils, with skips and biases, on an engine of any parameters."""
    engine = draw(engines_of_kind("csc", most_pes))
    cascade = [draw(layers(draw(st.integers(2, 40))))]
    for _ in range(draw(st.integers(0, 2))):
        cascade.append(draw(layers(cascade[-1][-1].n_out)))
    flags = skips_of(cascade) if draw(st.booleans()) else ()
    network = random_integer_network(
        Topology(tuple(cascade), flags),
        weight_bits=engine.weight_bits,
        activation_bits=engine.activation_bits,
        bias_share=draw(st.sampled_from((0.0, 0.5, 1.0))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )
    return Case(engine, network)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_stencils_keep_the_contract(data: st.DataObject) -> None:
    case = data.draw(stencil_cases())
    fabric = data.draw(st.sampled_from(("asic", "fpga")))
    try:
        mapping = case.engine.map(case.network, fabric)
    except MappingError:
        # So small a layer may be no stencil that is worth it, which another test is about.
        return
    verification = verify(mapping, inputs=2, seed=data.draw(st.integers(0, 99)))
    assert verification.agrees, [str(difference) for difference in verification.differences]
    counts = mapping.count()
    assert counts.macs == case.network.stored_weights
    assert mapping.stored_bits.index == 0


@pytest.mark.parametrize("pes", [1, 3, 8, 16])
@pytest.mark.parametrize(("family", "n_in", "n_out", "parameters"), EXAMPLES)
def test_every_stencil_family_runs_without_an_index(
    family: str, n_in: int, n_out: int, parameters: dict[str, Any], pes: int
) -> None:
    mapping = mapped(*build_layer(family, n_in, n_out, **parameters), pes=pes)
    assert mapping.stored_bits.index == 0
    verification = verify(mapping, inputs=2)
    assert verification.agrees, [str(difference) for difference in verification.differences]


@pytest.mark.parametrize(("bits", "pes"), [(4, 16), (6, 16), (8, 8), (8, 16), (8, 64)])
def test_a_hypercube_reads_a_row_of_words_once_for_all_neighbours_in_it(bits: int, pes: int) -> None:
    side = 1 << bits
    mapping = mapped(*build_layer("hypercube", side, side, depth=2), pes=pes)
    counts = mapping.count()
    rows = 1 + max(0, bits - pes.bit_length() + 1)
    read = sum(counts.traffic[role].words_read for role in ("input", "activation_1"))
    assert read == 2 * side * rows
    assert counts.padding == 0
    groups = -(-side // pes)
    assert counts.macs == 2 * side * (bits + 1) == 2 * groups * pes * (bits + 1)


def test_a_torus_pads_only_where_a_row_of_places_closes() -> None:
    mapping = mapped(*build_layer("torus", 289, 289, depth=2))
    counts = mapping.count()
    assert counts.macs == 2 * 5 * 289
    # To the left and to the right, and around: the outer dimension closes with the ring.
    assert counts.macs + counts.padding == 2 * 7 * 289


@pytest.mark.parametrize(
    ("family", "most_words", "most_cycles"), [("hypercube", 0.6, 0.75), ("torus", 1.6, 0.7)]
)
def test_networks_of_real_size_take_fewer_cycles_than_with_an_index(
    family: str, most_words: float, most_cycles: float
) -> None:
    cascade = [
        build_layer(family, a, b, **fit_budget(family, a, b, round(a * b / 12.7)))
        for a, b in itertools.pairwise((784, 300, 100))
    ]
    network = random_integer_network(Topology((*cascade, (DenseStage(100, 10),))))
    counts, indexed = Csc(pes=16).map(network).count(), Pruned(pes=16).map(network).count()
    read = sum(traffic.words_read for role, traffic in counts.traffic.items() if role[:3] in ("inp", "act"))
    assert counts.macs == indexed.macs == network.stored_weights
    assert read <= most_words * counts.macs
    assert counts.cycles <= most_cycles * indexed.cycles


@given(
    places=st.integers(1, 20),
    tiles=st.integers(1, 3),
    beyond=st.integers(0, 5),
    n_out=st.integers(1, 30),
    data=st.data(),
)
def test_a_stencil_finds_every_weight_of_its_stage(
    places: int, tiles: int, beyond: int, n_out: int, data: st.DataObject
) -> None:
    distances = sorted({0, *data.draw(st.sets(st.integers(0, places - 1), max_size=5))})
    n_in = max(places, places * tiles - min(beyond, places - 1))
    drawn = Stencil(places, tiles, tuple(distances), xors=False)
    mask = np.zeros((n_out, drawn.length), dtype=bool)
    np.put_along_axis(mask, drawn.addresses(np.arange(n_out)), values=True, axis=1)
    stage = PrunedStage.from_mask(mask[:, :n_in])
    found = stencil_of(stage, 4)
    if found is None:
        assert drawn.taps * n_out > MOST_PADDING * stage.stored_weights
        return
    addresses = found.addresses(np.arange(n_out))
    assert addresses.max() < found.length
    assert all(len(set(row)) == found.taps for row in addresses.tolist())
    reached = np.zeros((n_out, found.length), dtype=bool)
    np.put_along_axis(reached, addresses, values=True, axis=1)
    assert not (mask[:, :n_in] & ~reached[:, :n_in]).any()


def test_inputs_are_free_while_a_long_descriptor_is_still_fetched() -> None:
    mapping = mapped(*build_layer("torus", 60, 20, dimensions=1, radius=8, depth=2))
    counts = mapping.count()
    waited = mapping.waiting_cycles(mapping.plans[0])
    assert waited > 0
    free = counts.stages[0].end_cycle - waited
    assert counts.interval_cycles == free + counts.load_cycles > counts.cycles
    assert verify(mapping).agrees


def test_a_stencil_leaves_the_other_stages_their_banks() -> None:
    assert mapped(CscStage(64, 64, 8, 1)).banks == 4
    assert mapped(CscStage(64, 64, 8, 1), *build_layer("torus", 64, 64, depth=2)).banks == 16
    assert mapped(*build_layer("torus", 64, 64, depth=2), banks=4).banks == 4


def test_what_is_no_stencil_is_refused_in_a_sentence() -> None:
    random = np.random.default_rng(0)
    with pytest.raises(
        MappingError, match="stage 1 of the network is a pruned stage, allowed on a csc engine"
    ):
        mapped(DenseStage(5, 40), PrunedStage.from_mask(random.random((90, 40)) < 0.1))
