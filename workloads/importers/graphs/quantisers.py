"""Quantisers of ONNX (QuantizeLinear, DequantizeLinear) and QONNX (Quant, BipolarQuant).

Weights are taken as they are quantised. Of activations the ranges are handed on; the hardware rounds and
saturates them in its own way. A scale that is a power of two, which is what the hardware has, stays what it
is. A quantiser whose least number is zero is a ReLU too: tools leave the ReLU before it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.graphs.onnx_node import Node
from workloads.importers.graphs.signals import NotUnderstoodError, Signal
from workloads.importers.layers import Layers

REMARK = "activations are rounded as the hardware does it, not where the quantisers of the model round them"
NOT_BELOW = "its quantiser of the inputs has no numbers below zero, which inputs here may have"

ROUNDINGS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "ROUND": np.round,
    "HALF_EVEN": np.round,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda array: np.sign(array) * np.ceil(np.abs(array)),
    "DOWN": np.trunc,
    "ROUND_TO_ZERO": np.trunc,
    "HALF_UP": lambda array: np.sign(array) * np.floor(np.abs(array) + 0.5),
    "HALF_DOWN": lambda array: np.sign(array) * np.ceil(np.abs(array) - 0.5),
}
"""The rounding modes of QONNX."""

OUTPUT_TYPES = {2: (8, False), 3: (8, True), 4: (16, False), 5: (16, True), 21: (4, False), 22: (4, True)}
"""Width and sign of levels by ONNX's number for their type."""

CARRIED = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
"""Operations after which a constant is quantised as it was."""


@dataclass(frozen=True)
class Format:
    """Width of a signed number that holds every level, the least and the largest level, and the largest
    magnitude without the level below zero that no other mirrors."""

    bits: int
    least: float
    most: float
    reach: float


class Quantisers:
    """What the quantisers of a graph lay down: formats of constants by name, and of the weights and the
    inputs of every layer by its number."""

    def __init__(self) -> None:
        self.constants: dict[str, Format] = {}
        self.weights: dict[int, Format] = {}
        self.activations: dict[int, Format] = {}

    def see(self, node: Node, made: Any) -> None:
        """Notes what a node that was walked lays down."""
        if node.operation in ("Quant", "QuantizeLinear", "DequantizeLinear", "BipolarQuant"):
            before = node.input(0)
            if isinstance(before, Signal) and before.levels is None:
                self.activations[len(before.layers)] = _format(node)
            elif not isinstance(before, Signal):
                self.constants[node.makes[0]] = _format(node)
        elif node.reads and node.reads[0] in self.constants and node.operation in CARRIED:
            self.constants[node.makes[0]] = self.constants[node.reads[0]]
        elif node.operation in ("Conv", "Gemm", "MatMul") and isinstance(made, Signal):
            for name in node.reads[:2]:
                if name in self.constants:
                    self.weights[len(made.layers) - 1] = self.constants[name]

    def noted(self, layers: Layers) -> Layers:
        """The layers with the ranges that the quantisers of their model lay down, and a remark on widths."""
        settings: dict[str, Any] = {}
        ends = [self.activations.get(number) for number in range(1, len(layers.layers) + 1)]
        if entry := self.activations.get(0):
            settings["input_range"] = (entry.least, entry.most)
        if all(ends):
            settings["output_ranges"] = tuple(end.reach for end in ends if end)
        widths = [
            f"{max(one.bits for one in formats.values())} bits for {what}"
            for what, formats in (("weights", self.weights), ("activations", self.activations))
            if formats
        ]
        if not widths:
            return layers
        remark = f"the model is quantised: as signed numbers its levels take {' and '.join(widths)}"
        return replace(layers, settings=settings, remarks=(*layers.remarks, remark))


def quantised(node: Node) -> Any:
    """QuantizeLinear: whole numbers from a constant, or a signal that stands in levels."""
    value, scale, zero = node.input(0), *_levels(node)
    least, most = _range(*_type(node), narrow=False)
    if isinstance(value, Signal):
        after = _at_least(value, (least - zero) * scale)
        return replace(after.remarked(REMARK), levels=(scale.tolist(), zero.tolist()))
    spread, offset = _along(node, scale, value), _along(node, zero, value)
    return np.clip(np.round(np.asarray(value, dtype=np.float64) / spread) + offset, least, most)


def dequantised(node: Node) -> Any:
    """DequantizeLinear: the numbers that levels stand for."""
    value, scale, zero = node.input(0), *_levels(node)
    if not isinstance(value, Signal):
        return (np.asarray(value).astype(np.float64) - _along(node, zero, value)) * _along(node, scale, value)
    if value.levels is None:
        return value.plus(-zero).times(scale)
    if value.levels != (scale.tolist(), zero.tolist()):
        raise NotUnderstoodError("reads levels of another scale than they were made with", "the same scale")
    return replace(value, levels=None)


def quantised_at_once(node: Node) -> Any:
    """Quant of QONNX: the nearest number that a level stands for."""
    value, scale, zero, bits = (node.input(0), *(_numbers(node, number) for number in (1, 2, 3)))
    signed, narrow = bool(node.attributes.get("signed", 1)), bool(node.attributes.get("narrow", 0))
    mode = str(node.attributes.get("rounding_mode", "ROUND")).upper()
    if mode not in ROUNDINGS or bits.size != 1:
        raise NotUnderstoodError(
            f"rounds by {mode} to {bits.tolist()} bits", f"one width, {', '.join(ROUNDINGS)}"
        )
    least, most = _range(int(bits.reshape(-1)[0]), signed, narrow=narrow)
    if isinstance(value, Signal):
        return _at_least(value, (least - zero) * scale).remarked(REMARK)
    levels = ROUNDINGS[mode](np.clip(np.asarray(value, dtype=np.float64) / scale + zero, least, most))
    return (levels - zero) * scale


def bipolar_quantised(node: Node) -> Any:
    """BipolarQuant of QONNX: minus or plus one, times a scale."""
    value = node.input(0)
    if isinstance(value, Signal):
        raise NotUnderstoodError("is an activation function that no engine has", "ReLU")
    return np.where(np.asarray(value) >= 0, 1.0, -1.0) * _numbers(node, 1)


def _at_least(signal: Signal, least: NDArray[np.float64]) -> Signal:
    """A signal that a quantiser cuts off below `least`."""
    if (least > 0).any():
        raise NotUnderstoodError(f"has no numbers below {least.max():g}", "quantisers that hold zero")
    if (least < 0).any():
        return signal
    return signal.rectified() if signal.layers else signal.remarked(NOT_BELOW)


def _numbers(node: Node, number: int) -> NDArray[np.float64]:
    return np.asarray(node.constant(number)).astype(np.float64)


def _levels(node: Node) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale and zero point. Raises NotUnderstoodError for a scale that is not positive."""
    scale, zero = _numbers(node, 1), np.asarray(node.constant(2, 0)).astype(np.float64)
    if not (scale > 0).all():
        raise NotUnderstoodError("has a scale that is not positive", "positive scales")
    return scale, zero


def _along(node: Node, numbers: NDArray[np.float64], value: Any) -> NDArray[np.float64]:
    """Scales or zero points, in a shape that fits what they belong to: one for all, one for each entry of an
    axis, or one for each block along it."""
    if numbers.size == 1:
        return numbers.reshape(())
    axis = node.attributes.get("axis", 1) % np.ndim(value)
    if numbers.ndim == 1:
        return numbers.reshape([-1 if place == axis else 1 for place in range(np.ndim(value))])
    return np.repeat(numbers, node.attributes.get("block_size", 1), axis)


def _type(node: Node) -> tuple[int, bool]:
    """Width and sign of the levels: as told, or those of the zero point, or of the levels that are read."""
    if (told := node.attributes.get("output_dtype")) in OUTPUT_TYPES:
        return OUTPUT_TYPES[told]
    given = node.constant(2)
    if given is None and node.operation == "DequantizeLinear":
        given = node.input(0)
    kind = "uint8" if given is None or isinstance(given, Signal) else np.asarray(given).dtype.name
    width = re.fullmatch(r"(u?)int(\d+)", kind)
    if width is None:
        raise NotUnderstoodError(f"has levels of type {kind}", "whole numbers")
    return int(width[2]), not width[1]


def _range(bits: int, signed: bool, *, narrow: bool) -> tuple[int, int]:
    if not 1 <= bits <= 64:
        raise NotUnderstoodError(f"has levels of {bits} bits", "1 to 64")
    if signed:
        return -(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1 - narrow


def _format(node: Node) -> Format:
    scale = _numbers(node, 1)
    if node.operation == "BipolarQuant":
        return Format(2, -float(scale.max()), float(scale.max()), float(scale.max()))
    if node.operation == "Quant":
        bits, signed = int(_numbers(node, 3).reshape(-1)[0]), bool(node.attributes.get("signed", 1))
        zero, narrow = _numbers(node, 2), bool(node.attributes.get("narrow", 0))
    else:
        zero, narrow = _levels(node)[1], False
        bits, signed = _type(node)
    least, most = _range(bits, signed, narrow=narrow)
    low, mirrored, high = (least - zero) * scale, (zero - least - 1) * scale, (most - zero) * scale
    reach = float(max(mirrored.max(), high.max()))
    return Format(bits if signed else bits + 1, float(low.min()), float(high.max()), reach)
