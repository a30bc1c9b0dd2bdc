"""Engines that differ in nothing but their PEs share a layout, and it is the one that each has by itself."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import archsim as a
from archsim.engine import engines
from archsim.engine.lockstep.mapping import LockstepMapping
from workloads import IntegerNetwork, quantise, read_network

KNOBS: tuple[dict[str, Any], ...] = (
    {},
    {"product_register": True},
    {"zero_gating": True, "operand_isolation": True, "fetch_bits": 16},
    {"input_buffer": False, "zero_gating": False, "fetch_bits": 32},
)
"""What the hardware follows. Of these engines the PEs and what they hold are otherwise alike."""

NETWORKS = {
    "csc": "lenet-300-100-csc-x40",
    "clos": "lenet-300-100-clos-x40",
    "pruned": "lenet-300-100-pruned-x40",
}
ENGINES: tuple[dict[str, Any], ...] = (
    *({"kind": "csc", "pes": 6}, {"kind": "csc", "pes": 8, "reads": "rotated"}, {"kind": "clos", "pes": 8}),
    *(
        {"kind": "pruned", "pes": 8},
        {"kind": "pruned", "pes": 8, "gather": "banked"},
        {"kind": "dense", "pes": 4},
    ),
)


@cache
def network(kind: str) -> IntegerNetwork:
    """A network that the engine runs."""
    if kind in NETWORKS:
        told = quantise(read_network(NETWORKS[kind]), 8, 8)
    else:
        draw = np.random.default_rng(0)
        layers = [(draw.normal(size=(21, 30)), None), (draw.normal(size=(5, 21)), draw.normal(size=5))]
        told = quantise(a.import_network(layers, layout="out_in"), 8, 8)
    assert isinstance(told, IntegerNetwork)
    return told


@pytest.mark.parametrize("fabric", ["asic", "fpga"])
@pytest.mark.parametrize("options", ENGINES, ids=str)
def test_a_layout_that_is_shared_is_the_one_of_the_engine_by_itself(
    options: dict[str, Any], fabric: str
) -> None:
    integer, sizes = network(options["kind"]), set()
    for knobs in KNOBS:
        engine = engines[options["kind"]](**options | knobs)
        shared, alone = engine.map(integer, fabric), engine.settled(fabric).lay(integer, fabric)
        assert shared.engine == alone.engine
        assert shared.sizes == alone.sizes
        assert shared.counts == alone.counts
        assert shared.stored_bits == alone.stored_bits
        assert shared.images == alone.images
        sizes.add(shared.sizes)
    assert len(sizes) == len(KNOBS)


@pytest.mark.parametrize("options", [options for options in ENGINES if options["kind"] != "pruned"], ids=str)
def test_cycles_of_writing_are_as_many_as_there_are_writes(options: dict[str, Any]) -> None:
    mapping = engines[options["kind"]](**options).map(network(options["kind"]))
    assert isinstance(mapping, LockstepMapping)
    for plan in mapping.plans:
        written = [len(plan.written_at_once(group)) for group in range(plan.groups)]
        assert plan.write_cycles.tolist() == written
