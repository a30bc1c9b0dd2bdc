"""The engine that trains does what the specification says: weights after every step, in as many cycles as
counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archsim.engine.mapping import MappingError
from archsim.engine.training import TrainingEngine, TrainingMapping
from workloads import BlockStage, CscStage, DenseStage, Stage, Topology, load_recipe
from workloads.training.onchip.arithmetic import COUNTED, Scales
from workloads.training.onchip.run import OnChipRun
from workloads.training.onchip.trainer import Trainer, Words
from workloads.training.schema import OnChipRecipe


@st.composite
def topologies(draw: st.DrawFn, pes: int) -> Topology:
    """Layers of strided blocks, and a dense one at the end."""
    n_in = draw(st.integers(1, 9))
    layers: list[tuple[Stage, ...]] = []
    for _ in range(draw(st.integers(0, 2))):
        stages: list[Stage] = []
        for _ in range(draw(st.integers(1, 2))):
            blocks = draw(st.sampled_from([b for b in range(1, 4) if n_in % b == 0]))
            stages.append(BlockStage(blocks, n_in // blocks, draw(st.integers(1, 2 * pes))))
            n_in = stages[-1].n_out
        layers.append(tuple(stages))
    layers.append((DenseStage(n_in, draw(st.integers(2, 5))),))
    return Topology(tuple(layers))


@settings(max_examples=15, deadline=None)
@given(data=st.data(), pes=st.sampled_from([2, 4]))
def test_weights_after_every_step_and_cycles_are_those_of_the_specification(
    data: st.DataObject, pes: int
) -> None:
    topology = data.draw(topologies(pes))
    weight_bits = data.draw(st.integers(8, 16))
    of = OnChipRecipe(
        weight_bits=weight_bits,
        forward_bits=data.draw(st.none() | st.integers(5, weight_bits)),
        activation_bits=data.draw(st.integers(4, 9)),
        error_bits=data.draw(st.integers(4, 9)),
        rounding=data.draw(st.sampled_from(["nearest", "stochastic"])),
        loss=data.draw(st.sampled_from(["margin", "squared"])),
        pes=pes,
    )
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    top, held = 1 << (weight_bits - 1), 1 << (of.activation_bits - 1)
    words = [random.integers(-top, top, stage.weight_shape) // 2 for stage in topology.stages]
    scales = Scales.at_start(of, of.activation_bits - 1, 12, len(words))
    registers = random.integers(1, 1 << 31, pes)
    counts = np.zeros((len(words), COUNTED), dtype=np.int64)
    flat = np.concatenate([array.ravel() for array in words]).astype(np.int32)
    trainer = Trainer(topology, of, Words(flat, scales, registers.copy(), counts))
    mapping = TrainingMapping(topology, of, tuple(registers.tolist()))
    engine = TrainingEngine(mapping, words)
    rate_shift = max(0, -min(scales.update(0))) + data.draw(st.integers(0, 3))
    for _ in range(3):
        x, label = random.integers(-held, held, topology.n_in), int(random.integers(topology.n_out))
        now = trainer.words.scales
        if not min(now.update(rate_shift)) >= 0:
            break
        assert engine.step(x, label, now, rate_shift) == mapping.cycles
        trainer.window(x[:, None], np.array([label]), rate_shift)
        for found, expected in zip(engine.weights, trainer.of_stages, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_stage_that_is_no_strided_block_is_refused() -> None:
    topology = Topology(((CscStage(8, 8, 3, 1), DenseStage(8, 4)),))
    with pytest.raises(MappingError, match="stage 0 is 'csc', allowed are block and dense stages"):
        _ = TrainingMapping(topology, OnChipRecipe(pes=4)).sizes


@pytest.mark.long
def test_a_clos_lenet_takes_three_steps_to_the_bits_of_the_specification() -> None:
    layers = load_recipe("lenet-300-100-clos-x40").model_dump()["layers"]
    chosen = load_recipe("lenet-300-100-clos-on-chip").replace(layers=layers)
    random = np.random.default_rng(1)
    images = (random.random((3, 784)) * (random.random((3, 784)) < 0.2)).astype(np.float32)
    labels = np.array([3, 1, 4])
    run = OnChipRun(chosen, images, labels, (0.0, 1.0))
    trainer = run.trainer
    mapping = TrainingMapping(trainer.topology, trainer.arithmetic)
    engine = TrainingEngine(mapping, trainer.of_stages)
    for x, label in zip(run.images.astype(np.int64), labels, strict=True):
        assert engine.step(x, int(label), trainer.words.scales, 5) == mapping.cycles == 2933
        trainer.window(x[:, None], np.array([label]), 5)
        for found, expected in zip(engine.weights, trainer.of_stages, strict=True):
            np.testing.assert_array_equal(found, expected)
