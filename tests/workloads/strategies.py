"""Random stages, cascades and integer networks."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from workloads import BlockStage, CscStage, DenseStage, IntegerNetwork, IntegerStage, PrunedStage, Stage
from workloads.stages import KroneckerStage

sizes = st.integers(1, 9)


@st.composite
def dense_stages(draw: st.DrawFn, n_in: int) -> Stage:
    return DenseStage(n_in, draw(sizes))


@st.composite
def csc_stages(draw: st.DrawFn, n_in: int) -> Stage:
    return CscStage(n_in, draw(sizes), draw(st.integers(1, 12)), draw(st.integers(1, 30)))


@st.composite
def block_stages(draw: st.DrawFn, n_in: int) -> Stage:
    blocks = draw(st.sampled_from([b for b in range(1, n_in + 1) if n_in % b == 0]))
    return BlockStage(blocks, n_in // blocks, draw(st.integers(1, 3)))


@st.composite
def pruned_stages(draw: st.DrawFn, n_in: int) -> Stage:
    n_out = draw(sizes)
    kept = draw(st.lists(st.booleans(), min_size=n_in * n_out, max_size=n_in * n_out))
    return PrunedStage.from_mask(np.array(kept).reshape(n_out, n_in))


@st.composite
def kronecker_stages(draw: st.DrawFn, n_in: int) -> Stage:
    inputs = draw(st.sampled_from([c for c in range(1, n_in + 1) if n_in % c == 0]))
    others = n_in // inputs
    left = draw(st.sampled_from([a for a in range(1, others + 1) if others % a == 0]))
    return KroneckerStage(left, draw(st.integers(1, 3)), inputs, others // left)


@st.composite
def stages(draw: st.DrawFn, n_in: int | None = None) -> Stage:
    width = draw(sizes) if n_in is None else n_in
    kind = draw(st.sampled_from([dense_stages, csc_stages, block_stages, kronecker_stages, pruned_stages]))
    return draw(kind(width))


@st.composite
def integer_networks(draw: st.DrawFn) -> IntegerNetwork:
    weight_bits = draw(st.integers(2, 16))
    activation_bits = draw(st.integers(2, 16))
    top = 1 << (weight_bits - 1)
    built: list[IntegerStage] = []
    for _ in range(draw(st.integers(1, 3))):
        stage = draw(stages(built[-1].stage.n_out if built else None))
        weight = st.integers(-top, top - 1)
        count = stage.stored_weights
        weights = draw(st.lists(weight, min_size=count, max_size=count))
        bias = draw(st.none() | st.lists(weight, min_size=stage.n_out, max_size=stage.n_out))
        built.append(
            IntegerStage(
                stage=stage,
                weights=np.array(weights, dtype=np.int64).reshape(stage.weight_shape),
                shift=draw(st.integers(0, 20)),
                relu=draw(st.booleans()),
                bias=None if bias is None else np.array(bias, dtype=np.int64),
                bias_shift=0 if bias is None else draw(st.integers(0, 40)),
            )
        )
    return IntegerNetwork(
        name="random",
        stages=tuple(built),
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        input_fraction_bits=activation_bits - 1,
    )
