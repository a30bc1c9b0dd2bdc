"""Cascades at places and steps: all fidelities agree on every engine that runs them, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from archsim.engine import Engine
from archsim.verification import verify
from tests.strategies import engines_of_kind
from workloads import (
    DenseStage,
    PrunedStage,
    Stage,
    Topology,
    TopologyError,
    build_layer,
    random_integer_network,
)
from workloads.topology.integer_model import IntegerModel, IntegerPart
from workloads.topology.places import Places, Steps, Sweep

KINDS = ("csc", "dense", "pruned")


@st.composite
def layers(draw: st.DrawFn, kind: str, n_in: int, n_out: int) -> tuple[Stage, ...]:
    """A layer of these sizes that an engine of this kind runs."""
    if kind == "csc" and draw(st.booleans()):
        try:
            return build_layer("csc", n_in, n_out, fan_in=draw(st.integers(2, 6)))
        except TopologyError:
            assume(False)
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
@settings(max_examples=25)
@given(data=st.data())
def test_all_fidelities_agree_at_places_and_steps(kind: str, data: st.DataObject) -> None:
    engine = data.draw(engines_of_kind(kind, 6))
    model = data.draw(models(engine))
    fabric = data.draw(st.sampled_from(("asic", "fpga")))
    verification = verify(engine.map(model, fabric), inputs=2, seed=data.draw(st.integers(0, 99)))
    assert verification.agrees, [str(difference) for difference in verification.differences]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=st.data())
def test_closed_form_equals_event_simulation_at_places(kind: str, data: st.DataObject) -> None:
    engine = data.draw(engines_of_kind(kind, 20))
    mapping = engine.map(data.draw(models(engine)))
    assert mapping.count() == mapping.simulate()
