"""Integer networks with random weights, for tests and for costing a topology that was never trained."""

from __future__ import annotations

import numpy as np

from workloads.topology.identity import with_identity
from workloads.topology.integer import IntegerNetwork, IntegerStage, check_bits
from workloads.topology.topology import Topology


def random_integer_network(
    topology: Topology,
    *,
    weight_bits: int = 8,
    activation_bits: int = 8,
    spread: float | None = None,
    bias_share: float = 0.0,
    seed: int = 0,
    name: str = "random",
) -> IntegerNetwork:
    """A network of this topology whose weights are uniform over all values of `weight_bits` bits, or normal
    with a standard deviation of `spread` times the largest value, cut off at that.

    Shifts keep the spread of the outputs of a stage near that of its inputs: a sum of n products of which one
    factor has a standard deviation of d grows by about sqrt(n) * d. About a `bias_share` of the stages have
    biases, uniform over the same values, with shifts that leave them within the spread of the sums; the
    weights are those of the network without. An identity skip is a weight of half the largest value, added
    to the one that is there up to the largest.
    """
    check_bits(name, weight_bits=weight_bits, activation_bits=activation_bits)
    random, for_biases = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    top = 1 << (weight_bits - 1)
    last = len(topology.stages) - 1
    stages = []
    for number, (stage, ends_layer) in enumerate(zip(topology.stages, topology.ends_layer, strict=True)):
        if spread is None:
            weights = random.integers(-top, top, size=stage.weight_shape, dtype=np.int64)
            deviation = top / np.sqrt(3.0)
        else:
            deviation = max(spread * top, 0.5)
            drawn = random.normal(0.0, deviation, size=stage.weight_shape).round()
            weights = np.clip(drawn, -top, top - 1).astype(np.int64)
        if topology.skipped[number]:
            stage, weights = with_identity(stage, weights, top // 2)
            weights = np.minimum(weights, top - 1)
        growth = deviation * np.sqrt(max(stage.row_lengths().mean(), 1.0))
        shift = max(0, round(float(np.log2(growth))))
        bias, bias_shift = None, 0
        if for_biases.random() < bias_share:
            bias = for_biases.integers(-top, top, size=stage.n_out, dtype=np.int64)
            bias_shift = int(for_biases.integers(0, max(shift + activation_bits - weight_bits, 0) + 1))
        stages.append(
            IntegerStage(
                stage=stage,
                weights=weights,
                shift=shift,
                relu=ends_layer and number != last,
                bias=bias,
                bias_shift=bias_shift,
            )
        )
    return IntegerNetwork(
        name=name,
        stages=tuple(stages),
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        input_fraction_bits=activation_bits - 1,
    )
