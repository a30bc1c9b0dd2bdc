"""The engine that trains does what the specification says: weights after every step, in as many cycles as
counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archsim import Clos, Csc, DesignError, DesignPoint, Engine, Refusal, Space, analytic, verify
from archsim.engine.training.mapping import TrainingMapping
from workloads import BlockStage, CscStage, DenseStage, Stage, Topology
from workloads.training.onchip.arithmetic import COUNTED, Scales
from workloads.training.onchip.trainer import Trainer, Words
from workloads.training.schema import OnChipRecipe

DESIGN: dict[str, Any] = {
    "network": "lenet-300-100-clos-x40",
    "engine": {"kind": "clos", "pes": 16},
    "technology": "cmos65",
    "training": {},
}


Rounding = Literal["nearest", "stochastic"]
Topologies = Callable[[int, str], st.SearchStrategy[Topology]]


@st.composite
def blocks(draw: st.DrawFn, pes: int, _rounding: str) -> Topology:
    """Layers of strided blocks, and a dense one at the end."""
    n_in = draw(st.integers(1, 9))
    layers: list[tuple[Stage, ...]] = []
    for _ in range(draw(st.integers(0, 2))):
        stages: list[Stage] = []
        for _ in range(draw(st.integers(1, 2))):
            number = draw(st.sampled_from([b for b in range(1, 4) if n_in % b == 0]))
            stages.append(BlockStage(number, n_in // number, draw(st.integers(1, 2 * pes))))
            n_in = stages[-1].n_out
        layers.append(tuple(stages))
    layers.append((DenseStage(n_in, draw(st.integers(2, 5))),))
    return Topology(tuple(layers))


@st.composite
def rings(draw: st.DrawFn, pes: int, rounding: str) -> Topology:
    """Layers of CSC stages, and one at the end that reads everything."""
    n_in = draw(st.integers(1, 3 * pes + 2))
    layers: list[tuple[Stage, ...]] = []
    for _ in range(draw(st.integers(1, 2))):
        stages: list[Stage] = []
        for _ in range(draw(st.integers(1, 3))):
            n_out, fan_in = draw(st.integers(1, 3 * pes + 2)), draw(st.integers(1, 7))
            stages.append(CscStage(n_in, n_out, fan_in, draw(st.integers(1, n_in + 2))))
            n_in = n_out
        layers.append(tuple(stages))
    n_out = draw(st.integers(2, 2 * pes + 1))
    dense = rounding == "nearest" and draw(st.booleans())
    layers.append((DenseStage(n_in, n_out) if dense else CscStage(n_in, n_out, n_in, 1),))
    return Topology(tuple(layers))


@st.composite
def trained(draw: st.DrawFn, engine: type[Engine], topologies: Topologies) -> TrainingMapping:
    """A network of random weights before its first step, labelled by another."""
    pes, weight_bits = draw(st.sampled_from([2, 4])), draw(st.integers(8, 16))
    rounding: Rounding = draw(st.sampled_from(["nearest", "stochastic"]))
    topology = draw(topologies(pes, rounding))
    arithmetic = OnChipRecipe(
        weight_bits=weight_bits,
        forward_bits=draw(st.none() | st.integers(5, weight_bits)),
        activation_bits=draw(st.integers(4, 9)),
        error_bits=draw(st.integers(4, 9)),
        rounding=rounding,
        loss=draw(st.sampled_from(["margin", "squared"])),
        overlap=draw(st.sampled_from(["none", "pipelined"])),
        pes=pes,
    )
    random, stages = np.random.default_rng(draw(st.integers(0, 1000))), topology.stages
    top, scales = (
        1 << (weight_bits - 1),
        Scales.at_start(arithmetic, arithmetic.activation_bits - 1, (12,), len(stages)),
    )

    def trainer() -> Trainer:
        words = [random.integers(-top, top, stage.stored_weights) // 2 for stage in stages]
        counts = np.zeros((len(stages), COUNTED), dtype=np.int64)
        registers = random.integers(1, 1 << 31, pes)
        return Trainer(
            topology, arithmetic, Words(np.concatenate(words).astype(np.int32), scales, registers, counts)
        )

    begun = trainer()
    rate_shift = max(0, -min(scales.update(0))) + draw(st.integers(0, 3))
    return TrainingMapping(
        begun.network("drawn"), engine(pes=pes), begun, rate_shift, labels=trainer().network("teacher")
    )


@pytest.mark.parametrize(("engine", "topologies"), [(Clos, blocks), (Csc, rings)])
@settings(max_examples=15, deadline=None)
@given(data=st.data(), seed=st.integers(0, 100))
def test_every_fidelity_agrees_on_a_step_and_weights_are_those_of_the_specification(
    engine: type[Engine], topologies: Topologies, data: st.DataObject, seed: int
) -> None:
    mapping = data.draw(trained(engine, topologies))
    compared = verify(mapping, inputs=3, seed=seed)
    assert compared.agrees, "; ".join(map(str, compared.differences))
    assert compared.figures["cycles"] == mapping.counts.cycles


def test_a_weight_that_differs_is_told() -> None:
    mapping = DesignPoint(**DESIGN).mapping
    assert isinstance(mapping, TrainingMapping)
    other = replace(mapping, rate_shift=mapping.rate_shift - 1)
    wrong = replace(other, begun=mapping.begun)
    object.__setattr__(wrong, "images", mapping.images)
    compared = verify(wrong)
    assert [difference.what for difference in compared.differences] == ["weights after input 0"]


def test_a_step_of_a_design_point_is_priced_pass_by_pass() -> None:
    design = DesignPoint(**DESIGN)
    result = design.simulate("cycle")
    counts = result.counts
    assert counts == design.mapping.counts
    assert [stage.name for stage in counts.stages[-2:]] == ["1 backward", "0 backward"]
    assert counts.stages == design.simulate("analytic").counts.stages
    assert counts.stages[-1].end_cycle == counts.cycles
    # Forward and the update take a product a weight, errors one for each weight but those of the first stage.
    stored = [stage.stage.stored_weights for stage in design.mapping.network.stages]
    assert counts.macs == 3 * sum(stored) - stored[0]


def test_the_end_of_a_training_moves_fewer_weights_than_its_beginning() -> None:
    moved = []
    for weights in ("initial", "trained"):
        mapping = DesignPoint(**DESIGN | {"training": {"weights": weights}}).mapping
        assert isinstance(mapping, TrainingMapping)
        assert mapping.network.samples is not None
        _, after = mapping.expected(mapping.network.samples.inputs[:, :1])
        pairs = zip(after[0], mapping.begun.of_stages, strict=True)
        moved.append(sum(int((one != other).sum()) for one, other in pairs))
    beginning, end = moved
    assert end < beginning


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"engine": {"kind": "eie", "pes": 4}},
            "engine.kind is 'eie', allowed are clos, csc, dense with training",
        ),
        (
            {"engine": {"kind": "clos", "pes": 4, "weight_bits": 12}},
            "engine.weight_bits is 12, allowed are 8 with training, which says widths",
        ),
        ({"training": {"rate": 0.01}}, "training.rate is 0.01, allowed are powers of two"),
        ({"training": {"rate": "fast"}}, "training.rate is 'fast', allowed are powers of two"),
        ({"training": {"rates": 0.5}}, "training.rates is not a field, allowed are weight_bits"),
        ({"training": {"weight_bits": 4}}, "training.weight_bits is 4, allowed are 8 to 16"),
        ({"training": {"overlap": "half"}}, "training.overlap is 'half', allowed are 'none' or 'pipelined'"),
        ({"training": 3}, "training is 3, allowed is a mapping of weight_bits"),
        (
            {"training": {"weights": "trained", "seed": 3}},
            "training.seed is 3, allowed is 0 where nothing is drawn from it",
        ),
    ],
)
def test_a_design_that_trains_names_the_field_that_is_wrong(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignError) as refused:
        DesignPoint(**DESIGN | changes)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"engine": {"kind": "clos", "pes": 3}}, "engine.pes is 3, allowed are powers of two from 2 to 256"),
        (
            {"network": "lenet-300-100-csc-x40"},
            "stage 0 is 'csc', allowed are block and dense stages on an engine that trains",
        ),
        (
            {"engine": {"kind": "dense", "pes": 4}},
            "stage 0 is 'block', allowed are dense stages on an engine that trains",
        ),
        (
            {"engine": {"kind": "csc", "pes": 4}},
            "stage 0 is 'block', allowed are csc and dense stages on an engine that trains",
        ),
        (
            {
                "network": "lenet-300-100-csc-x40",
                "engine": {"kind": "csc", "pes": 4},
                "training": {"rounding": "stochastic"},
            },
            "training.rounding is 'stochastic', allowed are nearest, or a csc layer of fan_in 100 in place "
            "of the dense stage 6",
        ),
        (
            {"training": {"rate": 2.0**-15}},
            "training.rate is 3.0517578125e-05, allowed are 0.0001220703125 or more at stage 0",
        ),
        (
            {"training": {"rate": 0.25, "weight_bits": 16}},
            "training.rate is 0.25, allowed are 0.0625 or less at stage 1 of lenet-300-100-clos-x40 with "
            "weight_bits 16",
        ),
    ],
)
def test_a_network_that_cannot_be_trained_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refused:
        _ = DesignPoint(**DESIGN | changes).simulate("cycle")
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("kind", ["clos", "csc"])
@pytest.mark.parametrize("compression", ["", "-x40"])
def test_a_step_takes_the_cycles_that_the_documentation_says(kind: str, compression: str) -> None:
    network = f"lenet-300-100-{kind}{compression}"
    mapping = DesignPoint(**DESIGN | {"network": network, "engine": {"kind": kind, "pes": 16}}).mapping
    assert isinstance(mapping, TrainingMapping)
    sizes, weights = mapping.sizes, mapping.network.stored_weights
    passes = (sizes.forward_cycles, sizes.backward_cycles)
    cycles = " | ".join(f"{taken:,}" for taken in passes)
    busy = " | ".join(f"{100 * weights / 16 / taken:.0f} %" for taken in passes)
    page = (Path(__file__).parents[2] / "docs/engines.md").read_text(encoding="utf-8")
    assert f"| {network} | {weights:,} | {cycles} | {busy} |" in page


@pytest.mark.parametrize("kind", ["clos", "csc"])
def test_overlapped_a_step_takes_no_longer_than_its_way_back(kind: str) -> None:
    name = {"network": f"lenet-300-100-{kind}", "engine": {"kind": kind, "pes": 16}}
    plain, both = (
        DesignPoint(**DESIGN | name | {"training": {"overlap": overlap}}) for overlap in ("none", "pipelined")
    )
    assert isinstance(plain.mapping, TrainingMapping)
    assert isinstance(both.mapping, TrainingMapping)
    counts, before = both.mapping.simulate(), plain.mapping.counts
    assert counts == both.mapping.counts
    assert counts.cycles == 1 + plain.mapping.sizes.backward_cycles
    assert counts.macs == before.macs
    weights = [one.traffic["weight"] for one in (counts, before)]
    assert 2 * weights[0].words_read == weights[1].words_read == 2 * weights[0].words_written
    assert [stage.number for stage in counts.stages] == list(range(len(both.mapping.network.stages)))[::-1]


def test_what_is_kept_of_a_stage_is_of_the_samples_that_have_passed_it() -> None:
    mapping = DesignPoint(**DESIGN | {"training": {"overlap": "pipelined"}}).mapping
    assert isinstance(mapping, TrainingMapping)
    stages = mapping.network.stages
    widths = [mapping.network.n_in, *(stage.stage.n_out for stage in stages)]
    rows = [-(-width // 16) * (len(stages) + 1 - number) for number, width in enumerate(widths)]
    kept = {shape.role: shape.words for shape in mapping.sizes.memory_shapes}
    assert (kept["kept_0"], kept["kept_1"]) == (sum(rows[::2]), sum(rows[1::2]))


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "network", "overlap", "cycles"),
    [
        ("clos", "lenet-300-100-clos-x40", "none", 3005),
        ("clos", "lenet-300-100-clos", "none", 4509),
        ("csc", "lenet-300-100-csc-x40", "none", 1174),
        ("csc", "lenet-300-100-csc", "none", 3183),
        ("clos", "lenet-300-100-clos-x40", "pipelined", 1582),
        ("clos", "lenet-300-100-clos", "pipelined", 2350),
        ("csc", "lenet-300-100-csc-x40", "pipelined", 653),
        ("csc", "lenet-300-100-csc", "pipelined", 1673),
    ],
)
def test_a_network_of_the_zoo_takes_three_steps_to_the_bits_of_the_specification(
    kind: str, network: str, overlap: str, cycles: int
) -> None:
    design = DESIGN | {"network": network, "engine": {"kind": kind, "pes": 16}}
    compared = verify(DesignPoint(**design | {"training": {"overlap": overlap}}), inputs=3)
    assert compared.agrees
    assert compared.figures["cycles"] == cycles


def test_a_sweep_goes_over_widths_and_rates_of_training() -> None:
    base = {name: value for name, value in DESIGN.items() if name != "training"}
    space = Space.of(
        base=base | {"training.rate": 0.03125},
        axes={"engine.pes": [2, 4], "training.weight_bits": [10, 12], "training.error_bits": [8, 30]},
    )
    found = analytic(space.points())
    assert list(found["training.weight_bits"]) == [10, 10, 12, 12] * 2
    refused = found["error"].notna()
    assert list(refused) == [False, True] * 4
    assert found["error"][1] == "training.error_bits is 30, allowed are 4 to 16"
    cycles = found["cycles"][~refused].tolist()
    assert cycles[0] == cycles[1] > cycles[2] == cycles[3]


def test_a_design_that_does_not_train_says_nothing_of_it() -> None:
    plain = DesignPoint(**{name: value for name, value in DESIGN.items() if name != "training"})
    assert "training" not in plain.model_dump()
    again = DesignPoint(**DesignPoint(**DESIGN).model_dump())
    assert again.training == DesignPoint(**DESIGN).training
