"""What goes backward through a network in a step: the products of errors, with weights and with signals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads import IntegerNetwork
from workloads.training.onchip.arithmetic import Scales

Integers = NDArray[np.int64]


def products_back(
    network: IntegerNetwork, scales: Scales, x: Integers, label: int
) -> tuple[Integers, Integers]:
    """On inputs x (n_in,) of a label the products of all weights, row by row from the first stage on, and the
    errors of their outputs, and those of these errors and the signals that the weights are for, as
    `workloads.training.onchip.arithmetic` has them."""
    arithmetic = scales.arithmetic
    signals = [x, *(outputs[:, 0] for outputs in network.trace(x[:, None]))]
    one, is_label = 1 << scales.activations[-1], np.arange(network.n_out) == label
    errors = signals[-1] - one * is_label
    if arithmetic.loss == "margin":
        errors = np.where(is_label, np.minimum(errors, 0), np.maximum(errors + one, 0))
    back = _cut(_even(errors, arithmetic.narrowed), arithmetic.error_bits)
    products: list[Integers] = []
    slopes: list[Integers] = []
    for number in reversed(range(len(network.stages))):
        stage = network.stages[number]
        of_taps = np.repeat(back, stage.stage.row_lengths())
        products.append(stage.weights.ravel() * of_taps)
        slopes.append(of_taps * signals[number][stage.stage.columns()])
        sums = np.asarray(stage.stage.csr(stage.weights).T @ back)
        passes = signals[number] > 0 if number and network.stages[number - 1].relu else True
        back = _cut(np.where(passes, _even(sums, scales.backward[number]), 0), arithmetic.error_bits)
    return np.concatenate(products[::-1]), np.concatenate(slopes[::-1])


def _even(values: Integers, shift: int) -> Any:
    """The values shifted right and rounded, halves away from zero."""
    return np.sign(values) * ((np.abs(values) + ((1 << shift) >> 1)) >> shift)


def _cut(values: Integers, bits: int) -> Any:
    top = 1 << (bits - 1)
    return np.clip(values, -top, top - 1)
