"""Training on chip is what its specification says, and its networks are ordinary ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tests.workloads import strategies
from tests.workloads.reference_on_chip import Reference, Register
from tests.workloads.synthetic import patches, recipe
from workloads import (
    LabelledData,
    Recipe,
    Topology,
    TrainedNetwork,
    load_recipe,
    quantise,
    train,
    train_to_file,
)
from workloads.training.evaluate import ON_CHIP, evaluate
from workloads.training.onchip.arithmetic import COUNTED, MOST_UPDATE, Scales
from workloads.training.onchip.run import OnChipRun
from workloads.training.onchip.trainer import Trainer, Words
from workloads.training.schema import OnChipRecipe, RecipeError


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """One to three layers of one or two stages of any kind."""
    layers: list[tuple[Any, ...]] = []
    n_in: int | None = None
    for _ in range(draw(st.integers(1, 3))):
        first = draw(strategies.stages(n_in))
        more = [draw(strategies.stages(first.n_out))] if draw(st.booleans()) else []
        layers.append((first, *more))
        n_in = layers[-1][-1].n_out
    return Topology(tuple(layers))


@st.composite
def arithmetics(draw: st.DrawFn) -> OnChipRecipe:
    weight_bits = draw(st.integers(8, 16))
    return OnChipRecipe(
        weight_bits=weight_bits,
        forward_bits=draw(st.none() | st.integers(6, weight_bits)),
        activation_bits=draw(st.integers(4, 10)),
        error_bits=draw(st.integers(4, 10)),
        rounding=draw(st.sampled_from(["nearest", "stochastic"])),
        loss=draw(st.sampled_from(["margin", "squared"])),
        overlap=draw(st.sampled_from(["none", "pipelined"])),
        pes=draw(st.integers(1, 5)),
    )


@settings(max_examples=150)
@given(data=st.data(), topology=topologies(), of=arithmetics(), slower=st.integers(0, 6))
def test_compiled_loops_are_the_specification_bit_for_bit(
    data: st.DataObject, topology: Topology, of: OnChipRecipe, slower: int
) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    top, held = 1 << (of.weight_bits - 1), 1 << (of.activation_bits - 1)
    words = [random.integers(-top, top, stage.weight_shape) for stage in topology.stages]
    scales = Scales.at_start(of, of.activation_bits - 1, (6,), len(words))
    rate_shift = slower + max(0, -min(scales.update(0)))
    registers = random.integers(1, 1 << 31, of.pes)
    reference = Reference(topology, of, words, scales, registers.tolist())
    flat = np.concatenate([array.ravel() for array in words]).astype(np.int32)
    counts = np.zeros((len(words), COUNTED), dtype=np.int64)
    trainer = Trainer(topology, of, Words(flat, scales, registers.copy(), counts))
    x = random.integers(-held, held, (topology.n_in, 4))
    labels = random.integers(0, topology.n_out, 4)
    trainer.window(x, labels, rate_shift)
    reference.window(x, labels.tolist(), rate_shift)
    for found, expected in zip(trainer.of_stages, reference.words, strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(trainer.words.counts, reference.counts)
    if of.rounding == "stochastic":
        assert trainer.words.registers.tolist() == [each.value for each in reference.registers]


def test_a_random_word_is_as_good_as_a_coin() -> None:
    register = Register(12345)
    drawn = np.array([register.word() for _ in range(4000)])
    bits = drawn[:, None] >> np.arange(24) & 1
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.05
    assert np.abs(np.corrcoef(bits[1:].T, bits[:-1].T)[:24, 24:]).max() < 0.1


@settings(max_examples=100)
@given(data=st.data(), of=arithmetics(), stages=st.integers(1, 4), more=st.integers(0, 8))
def test_scales_follow_what_is_cut_off_and_every_shift_stays_one(
    data: st.DataObject, of: OnChipRecipe, stages: int, more: int
) -> None:
    fastest = max(0, -min(Scales.at_start(of, of.activation_bits - 1, (0,), stages).update(0)))
    slowest = fastest + more
    scales = Scales.at_start(of, of.activation_bits - 1, (fastest, slowest), stages)
    count = st.integers(0, 4)
    for _ in range(20):
        drawn = data.draw(
            st.lists(st.lists(count, min_size=COUNTED, max_size=COUNTED), min_size=stages, max_size=stages)
        )
        after = scales.after(np.array(drawn), [4096] * stages)
        assert after.activations[-1] == scales.activations[-1]
        for before, now, seen in list(zip(scales.activations, after.activations, drawn, strict=True))[:-1]:
            wanted = -1 if seen[0] > 1 else 1 if seen[1] == 0 else 0
            assert now - before in (0, wanted)
        scales = after
        assert min(scales.forward) >= 0
        assert min(scales.backward) >= 0
        assert min(scales.update(fastest)) >= 0
        assert max(scales.update(slowest)) <= MOST_UPDATE
        assert scales.errors[-1] == scales.activations[-1] - of.narrowed


def on_chip(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "batch": 1,
        "epochs": 6,
        "optimiser": {"kind": "sgd", "momentum": 0.0},
        "rate": {"peak": 0.03125, "course": [1, 0.5]},
        "on_chip": {},
    }
    return recipe(**(values | changes))


@pytest.fixture(scope="module")
def data() -> LabelledData:
    return patches(2000)


@pytest.mark.parametrize("widths", [{}, {"weight_bits": 15, "forward_bits": 8, "activation_bits": 7}])
def test_the_network_of_a_file_is_the_one_that_was_trained(
    widths: dict[str, Any], data: LabelledData, tmp_path: Path
) -> None:
    chosen = on_chip(on_chip=widths, input_order=list(range(36))[::-1])
    trained = train_to_file(chosen, tmp_path / "net.npz", progress=False, data=data)
    loaded = TrainedNetwork.load(tmp_path / "net.npz")
    of = chosen.on_chip
    assert of
    run = OnChipRun(chosen, data.train_inputs, data.train_labels, data.range)
    while run.step < run.steps:
        run.advance()
    own = run.model.integer("own", data.range)
    read = quantise(loaded, of.read_bits, of.activation_bits)
    np.testing.assert_array_equal(
        read.run(read.quantise_input(data.test_inputs)), own.run(own.quantise_input(data.test_inputs))
    )
    assert loaded.accuracy == trained.accuracy
    assert loaded.accuracy[ON_CHIP] == evaluate(read, data.test_inputs, data.test_labels) > 0.9
    assert "cut off on the way" in loaded.remarks[0]


def test_training_with_shifts_of_images_goes_on_to_the_same_bits(data: LabelledData) -> None:
    chosen = on_chip(shift_pixels=1, on_chip={"rounding": "stochastic", "weight_bits": 10})
    runs = [OnChipRun(chosen, data.train_inputs, data.train_labels, data.range) for _ in range(2)]
    while runs[0].step < runs[0].steps:
        runs[0].advance()
        if runs[0].step == 7:
            runs[1].resume(runs[0].state())
    while runs[1].step < runs[1].steps:
        runs[1].advance()
    for first, second in zip(runs[0].state().weights, runs[1].state().weights, strict=True):
        np.testing.assert_array_equal(first, second)
    assert runs[0].trainer.words.scales == runs[1].trainer.words.scales


def test_a_run_that_was_killed_goes_on_from_its_file_to_the_same_bytes(
    data: LabelledData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = on_chip(on_chip={"rounding": "stochastic", "pes": 3})
    train_to_file(chosen, tmp_path / "whole.npz", progress=False, data=data)
    advance, left = OnChipRun.advance, iter(range(5))

    def advance_or_die(run: OnChipRun) -> float:
        if next(left, None) is None:
            run.trainer.words.weights[...] = 7
            raise SystemExit
        return advance(run)

    with monkeypatch.context() as killing:
        killing.setattr(OnChipRun, "advance", advance_or_die)
        with pytest.raises(SystemExit):
            train_to_file(chosen, tmp_path / "net.npz", progress=False, data=data, every_s=0)
    train_to_file(chosen, tmp_path / "net.npz", progress=False, data=data)
    assert (tmp_path / "net.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch": 20}, "recipe.batch is 20, allowed are 1 with on_chip"),
        ({"rate": {"peak": 0.03, "course": "constant"}}, "recipe.rate is 0.03, allowed are powers of two"),
        ({"rate": {"peak": 0.5}}, "recipe.rate.course is 'one-cycle', allowed are constant or a list"),
        ({"rate": {"peak": 0.5, "course": [1, 2]}}, "recipe.rate.course is [1, 2], allowed are"),
        ({"rate": {"peak": 0.5, "course": "fast"}}, "recipe.rate.course is 'fast', allowed are one-cycle"),
        ({"optimiser": {"kind": "adam"}}, "recipe.optimiser is {'kind': 'adam'"),
        ({"bias": True}, "recipe.on_chip is given with bias"),
        ({"on_chip": {"weight_bits": 7}}, "recipe.on_chip.weight_bits is 7"),
        ({"on_chip": {"forward_bits": 13}}, "recipe.on_chip.forward_bits is 13, allowed are 3, integer_bits"),
        (
            {"layers": [{"family": "csc", "outputs": 36, "fan_in": 4, "skips": True}]},
            "recipe.on_chip is given with skips of layer 0",
        ),
    ],
)
def test_what_hardware_cannot_do_is_refused_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RecipeError) as error:
        on_chip(**changes)
    assert str(error.value).startswith(sentence)


def test_a_rate_below_what_moves_a_weight_names_the_stage(data: LabelledData) -> None:
    chosen = on_chip(rate={"peak": 2.0**-14, "course": "constant"})
    with pytest.raises(RecipeError, match=r"^rate is .*, allowed are 0.000122.* or more at stage 0 of"):
        train(chosen, data=data, progress=False)


def test_a_rate_that_would_shift_an_update_to_the_left_names_the_stage(data: LabelledData) -> None:
    chosen = on_chip(rate={"peak": 0.25, "course": [1, 0.125]}, on_chip={"weight_bits": 16})
    sentence = "fastest rate is 0.25, allowed are 0.0625 or less at stage 1 of tiny with weight_bits 16"
    with pytest.raises(RecipeError, match=sentence):
        train(chosen, data=data, progress=False)


@pytest.mark.parametrize("family", ["clos", "csc"])
def test_a_recipe_that_comes_along_is_one(family: str) -> None:
    assert load_recipe(f"lenet-300-100-{family}-on-chip").on_chip
