"""Cascades at places and steps: all fidelities agree on every engine that runs them, bit for bit."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from archsim.costs.fidelity.gate import map_to_gates
from archsim.design import DesignPoint
from archsim.engine import Clos, Csc, Dense, Engine, Pruned
from archsim.engine.hardware_run import run_rtl
from archsim.engine.mapping import Mapping, MappingError
from archsim.engine.stimulus import sample_inputs
from archsim.technology import Artix7
from archsim.verification import verify
from rtl import to_verilog
from rtl.parts.sweep_amounts import SWEEP_COMPONENTS
from tests.rtl.test_verilog import icarus
from tests.strategies import engines_of_kind
from tests.workloads.synthetic import patches
from tests.workloads.training.test_placed import cnn, rnn, trained
from workloads import (
    DenseStage,
    IntegerModel,
    IntegerPart,
    Places,
    PrunedStage,
    Stage,
    Steps,
    Sweep,
    Topology,
    TopologyError,
    build_layer,
    load_recipe,
    quantise,
    random_integer_network,
    train_model,
)
from workloads.training.quantisation.placed import placed_network

pytestmark = pytest.mark.slow

KINDS = ("clos", "csc", "dense", "pruned")


@st.composite
def layers(draw: st.DrawFn, kind: str, n_in: int, n_out: int) -> tuple[Stage, ...]:
    """A layer of these sizes that an engine of this kind runs."""
    if kind == "csc" and draw(st.booleans()):
        try:
            return build_layer("csc", n_in, n_out, fan_in=draw(st.integers(2, 6)))
        except TopologyError:
            assume(False)
    if kind == "clos" and draw(st.booleans()):
        ingress, egress = (
            draw(st.sampled_from([d for d in range(1, n + 1) if n % d == 0])) for n in (n_in, n_out)
        )
        return build_layer(
            "clos", n_in, n_out, ingress=ingress, middle=draw(st.integers(1, 5)), egress=egress
        )
    if kind == "pruned":
        seed, share = draw(st.integers(0, 999)), draw(st.sampled_from((0.1, 0.4, 1.0)))
        return (PrunedStage.from_mask(np.random.default_rng(seed).random((n_out, n_in)) < share),)
    return (DenseStage(n_in, n_out),)


@st.composite
def convolutions(draw: st.DrawFn, channels: int, rows: int, columns: int) -> Places:
    """Any convolution of a map of this size, of a kernel of up to 3 x 3."""
    padding = tuple(draw(st.integers(0, 2)) for _ in range(4)) if draw(st.booleans()) else (0, 0, 0, 0)
    top, left, bottom, right = padding
    return Places(
        channels,
        rows,
        columns,
        kernel=(
            draw(st.integers(1, min(3, rows + top + bottom))),
            draw(st.integers(1, min(3, columns + left + right))),
        ),
        stride=(draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        padding=(top, left, bottom, right),
    )


@st.composite
def models(draw: st.DrawFn, engine: Engine) -> IntegerModel:
    """One to three convolutions, or a recurrent layer, with fully connected layers behind them or not."""
    parts: list[IntegerPart] = []

    def add(sweep: Sweep, outputs: int) -> None:
        window = sweep.window(outputs)
        chosen = [draw(layers(engine.kind, window, outputs))]
        if draw(st.booleans()):
            chosen.append(draw(layers(engine.kind, outputs, outputs)))
        cascade = random_integer_network(
            Topology(tuple(chosen)),
            weight_bits=engine.weight_bits,
            activation_bits=engine.activation_bits,
            bias_share=draw(st.sampled_from((0.0, 0.5))),
            seed=draw(st.integers(0, 99)),
        )
        parts.append(IntegerPart(sweep, cascade))

    if draw(st.integers(0, 3)) == 0:
        outputs = draw(st.integers(1, 9))
        add(Steps(draw(st.integers(1, 4)), draw(st.integers(1, 6))), outputs)
        add(Places.whole(outputs), draw(st.integers(1, 6)))
        return IntegerModel("drawn", tuple(parts))
    channels, rows, columns = (draw(st.integers(1, most)) for most in (3, 5, 5))
    for _ in range(draw(st.integers(1, 3))):
        sweep, outputs = draw(convolutions(channels, rows, columns)), draw(st.integers(1, 9))
        add(sweep, outputs)
        channels, (rows, columns) = outputs, sweep.shape_out
    if draw(st.booleans()):
        add(Places.whole(channels, rows, columns), draw(st.integers(1, 6)))
    return IntegerModel("drawn", tuple(parts))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12)
@given(data=st.data())
def test_all_fidelities_agree_at_places_and_steps(kind: str, data: st.DataObject) -> None:
    engine = data.draw(engines_of_kind(kind, 6, skips=False))
    model = data.draw(models(engine))
    fabric = data.draw(st.sampled_from(("asic", "fpga")))
    verification = verify(engine.map(model, fabric), inputs=2, seed=data.draw(st.integers(0, 99)))
    assert verification.agrees, [str(difference) for difference in verification.differences]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(data=st.data())
def test_closed_form_equals_event_simulation_at_places(kind: str, data: st.DataObject) -> None:
    engine = data.draw(engines_of_kind(kind, 20, skips=False))
    mapping = engine.map(data.draw(models(engine)))
    assert mapping.count() == mapping.simulate()


def convolved(engine: Engine, *, fabric: str = "asic") -> Mapping:
    """A 3 x 3 convolution with padding, one over channels alone, and a fully connected layer."""
    parts = []
    for sweep, outputs in (
        (Places(2, 5, 5, (3, 3), (2, 2), (1, 1, 1, 1)), 6),
        (Places(6, 3, 3), 5),
        (Places.whole(5, 3, 3), 4),
    ):
        topology = Topology(((DenseStage(sweep.window(), outputs),),))
        parts.append(IntegerPart(sweep, random_integer_network(topology, seed=outputs)))
    return engine.map(IntegerModel("convolved", tuple(parts)), fabric)


@pytest.mark.parametrize("engine", [Dense(pes=4), Csc(pes=4), Clos(pes=4), Pruned(pes=4)])
def test_a_convolution_reads_its_windows_and_keeps_its_weights(engine: Engine) -> None:
    mapping = convolved(engine)
    counts, traffic = mapping.count(), mapping.count().traffic
    assert counts.macs == 9 * (18 * 6 + 6 * 5) + 45 * 4
    # Of nine windows of nine places, those at an edge have three in the padding, and those at a corner five.
    assert traffic["image"].words_read == 2 * (9 * 9 - 4 * 3 - 4 * 5)
    assert traffic["image"].words_written == 2 * 5 * 5
    # What is pointwise follows without a map between.
    assert traffic["map_0"].words_written == traffic["map_0"].words_read == 9 * 5
    assert "map_1" not in traffic
    assert mapping.stored_bits.weight // 8 >= mapping.network.stored_weights == 18 * 6 + 6 * 5 + 45 * 4


def test_a_network_without_places_has_nothing_of_them() -> None:
    mapping = Dense(pes=4).map(random_integer_network(Topology(((DenseStage(6, 5),),))))
    assert mapping.sizes.sweep is None
    assert set(mapping.count().traffic) == {"weight", "input", "descriptor"}
    assert "places" not in to_verilog(mapping.hardware).text


def test_the_image_is_loaded_while_later_segments_run() -> None:
    mapping = convolved(Dense(pes=4))
    counts = mapping.count()
    assert counts.interval_cycles == counts.cycles
    assert counts.stages[0].end_cycle + counts.load_cycles < counts.cycles


def test_a_recurrent_part_is_the_first_of_several() -> None:
    recurrent = IntegerPart(Steps(3, 2), random_integer_network(Topology(((DenseStage(6, 4),),))))
    with pytest.raises(MappingError, match="part 0 of 1 of the network is recurrent, allowed is"):
        Dense(pes=4).map(IntegerModel("alone", (recurrent,)))


def test_a_part_reads_the_map_that_is_written() -> None:
    parts = [
        IntegerPart(Places(1, 3, 3, (2, 2)), random_integer_network(Topology(((DenseStage(4, 3),),)))),
        IntegerPart(Places.whole(12), random_integer_network(Topology(((DenseStage(12, 2),),)))),
    ]
    with pytest.raises(
        MappingError, match=r"part 1 is \(12, 1, 1\), allowed are \(3, 2, 2\), which the part"
    ):
        Dense(pes=2).map(IntegerModel("flat", tuple(parts)))


ENGINES_IN_ICARUS = [
    *(Dense(pes=3), Csc(pes=4), Clos(pes=4)),
    *(Pruned(pes=2, gather="banked"), Pruned(pes=3, gather="scheduled")),
]


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
@pytest.mark.parametrize("engine", ENGINES_IN_ICARUS)
def test_the_exported_hardware_runs_convolutions_in_icarus(engine: Engine, tmp_path: Path) -> None:
    mapping = convolved(engine, fabric="fpga")
    inputs = sample_inputs(mapping.network, 2)
    runs, outputs = run_rtl(mapping, inputs)
    assert np.array_equal(outputs, mapping.network.run(inputs))
    printed = icarus(tmp_path, mapping, [mapping.load(x) for x in inputs.T], runs)
    assert "PASS: 2 inputs" in printed


@pytest.fixture(scope="module")
def models_of_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A trained CNN and a trained RNN, as files."""
    folder = tmp_path_factory.mktemp("models")
    paths = {"cnn": folder / "cnn.npz", "rnn": folder / "rnn.npz"}
    for name, of in (("cnn", cnn(epochs=1)), ("rnn", rnn(epochs=1))):
        train_model(of, progress=False, data=patches()).save(paths[name])
    return paths


@pytest.mark.parametrize("name", ["cnn", "rnn"])
def test_the_file_of_a_trained_model_is_a_network_of_a_design(
    models_of_files: dict[str, Path], name: str
) -> None:
    design = DesignPoint(network=models_of_files[name], engine=Pruned(pes=4), technology="cmos65")
    results = [design.simulate(fidelity) for fidelity in ("analytic", "cycle", "rtl")]
    assert len({result.cycles for result in results}) == 1
    assert len({result.energy_j for result in results}) == 1
    (result, *_) = results
    assert result.accuracy is not None
    assert result.stimulus is not None
    assert "samples of tiny" in result.stimulus
    assumed = {term.component for term in result.bill.energy if term.component in SWEEP_COMPONENTS}
    assert assumed == set(SWEEP_COMPONENTS)
    assert all(term.kind == "assumed" for term in result.bill.energy if term.component in SWEEP_COMPONENTS)
    assert any("the logic of places and resumed addresses is assumed" in w for w in result.warnings)


def test_the_mapped_netlist_shows_what_moves_the_window() -> None:
    logic = map_to_gates(convolved(Dense(pes=2), fabric="fpga"), Artix7())
    (places,) = (part for part in logic.parts if part.component == "places")
    assert places.resources["lut"] > 50
    assert places.resources["ff"] > 50
    assert not logic.assumptions


@pytest.mark.parametrize("name", ["cnn-mnist", "rnn-mnist"])
def test_the_shipped_recipes_run_on_hardware_bit_for_bit(name: str) -> None:
    of = load_recipe(name)
    placed = placed_network(trained(of))
    images = np.random.default_rng(2).random((8, of.inputs), dtype=np.float32)
    mapping = Pruned(pes=16).map(quantise(placed.calibrated(images), 8, 8))
    verification = verify(mapping)
    assert verification.agrees, [str(difference) for difference in verification.differences]
    assert np.float64(3.5) // 2.0 == 1.0, "the compiled simulator leaves the x87 unit as it was"
