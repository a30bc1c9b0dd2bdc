"""The fitted logic of engines that train: what a step costs, and of which components it is made."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import archsim as a
from archsim.calibration.measurement import MEASURED, figure
from archsim.calibration.training import drawn, read_training
from archsim.costs.fidelity.estimate import logic_fit
from archsim.costs.fidelity.gate import map_to_gates
from archsim.costs.fidelity.structure import structures
from archsim.costs.operands import workload_of
from archsim.engine.stimulus import stimulus
from archsim.engine.training.mapping import TrainingMapping
from rtl.engines.training.sizes import SUFFIXES, Overlap

TECHNOLOGIES = {"cmos65": a.Cmos65, "artix7": a.Artix7}
DESIGN: dict[str, Any] = {
    "network": "lenet-300-100-clos-x40",
    "engine": {"kind": "clos", "pes": 2},
    "technology": "cmos65",
    "training": {},
}


@pytest.mark.parametrize(
    ("kind", "overlap", "label"),
    [
        pytest.param("artix7", "none", "held_out", marks=pytest.mark.long),
        pytest.param("artix7", "pipelined", "train", marks=pytest.mark.long),
        pytest.param("cmos65", "pipelined", "train", marks=pytest.mark.slow),
    ],
)
def test_a_stored_netlist_is_mapped_anew(kind: str, overlap: Overlap, label: str) -> None:
    """The smallest of those that were held out, or fitted to."""
    technology = TECHNOLOGIES[kind]()
    stored_ones = read_training(technology, overlap=overlap)[label]
    pairs = zip(drawn(kind, label, overlap), stored_ones, strict=True)
    configuration, stored = min(pairs, key=lambda pair: pair[1].sizes.pes * pair[1].sizes.stages)
    found = map_to_gates(configuration.map(technology.fabric), technology)
    names = MEASURED[technology.fabric]
    mapped, kept = (
        {(part.component, name): f"{figure(part, name):.6g}" for part in logic.parts for name in names}
        for logic in (found, stored.logic)
    )
    assert mapped == kept


@pytest.mark.parametrize("overlap", SUFFIXES)
@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_a_step_costs_at_every_fidelity_and_says_how_far_off_that_is(
    technology: str, overlap: Overlap
) -> None:
    changed = {"technology": technology, "training": {"overlap": overlap}}
    result = a.DesignPoint(**DESIGN | changed).simulate("analytic")
    assert result.cost("energy_j") > 0
    assert {"pe", "update", "tree"} <= set(result.by_component("energy_j"))
    stated = logic_fit(f"{technology}{SUFFIXES[overlap]}").errors
    assert result.fit_error["critical_path_s"].mean >= stated["critical_path_s"][0] > 0


@pytest.mark.parametrize("overlap", SUFFIXES)
def test_an_engine_is_described_by_the_components_that_it_has(overlap: Overlap) -> None:
    for network, engine in (("clos-x40", "clos"), ("csc-x40", "csc"), ("dense", "dense")):
        changed = {
            "network": f"lenet-300-100-{network}",
            "engine": {"kind": engine, "pes": 4},
            "training": {"overlap": overlap},
        }
        mapping = a.DesignPoint(**DESIGN | changed).mapping
        described = {part.component for part in structures(mapping.sizes)}
        built = {owner.kind for owner in mapping.hardware.block.owner.values()}
        memories = {f"{shape.role}_memory" for shape in mapping.sizes.memory_shapes}
        assert described == built - memories - {"probe"}


def test_weights_move_by_the_slopes_whose_switching_is_priced() -> None:
    mapping = a.DesignPoint(**DESIGN).mapping
    assert isinstance(mapping, TrainingMapping)
    assert mapping.network.samples is not None
    x, begun = mapping.network.samples.inputs[:, :1], mapping.begun
    _, after = mapping.expected(x)
    shifts = begun.words.scales.update(mapping.rate_shift)
    words = [weights.size for weights in begun.of_stages]
    slopes = np.split(mapping.way_back(x[:, 0]).slopes, np.cumsum(words)[:-1])
    top = 1 << (mapping.sizes.weight_bits - 1)
    moved = False
    for slope, shift, before, found in zip(slopes, shifts, begun.of_stages, after[0], strict=True):
        step = np.sign(slope) * ((np.abs(slope) + ((1 << shift) >> 1)) >> shift)
        assert (np.clip(before.ravel() - step, -top, top - 1) == found.ravel()).all()
        moved |= bool(step.any())
    assert moved


@pytest.mark.parametrize(("overlap", "passes"), [("none", 2), ("pipelined", 1)])
def test_what_switches_on_the_way_back_is_counted_tap_by_tap(overlap: Overlap, passes: int) -> None:
    mapping = a.DesignPoint(**DESIGN | {"training": {"overlap": overlap}}).mapping
    assert isinstance(mapping, TrainingMapping)
    work, sizes = workload_of(mapping), mapping.sizes
    assert work.taps == passes * mapping.network.stored_weights
    assert work.busy == work.taps / (sizes.pes * mapping.counts.cycles)
    ways = [mapping.way_back(x) for x in stimulus(mapping.network).T]
    for rate, factors, bits in (
        (work.returned, [way.products for way in ways], sizes.read_bits + sizes.error_bits),
        (work.slopes, [way.slopes for way in ways], sizes.error_bits + sizes.activation_bits),
    ):
        words = [value % (1 << bits) for value in np.concatenate(factors).tolist()]
        changed = sum((one ^ other).bit_count() for one, other in itertools.pairwise(words))
        assert rate == changed / (len(words) * bits)
        assert 0 < rate < 1
