"""From layers of PyTorch to a network that engines run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from workloads.importers.assemble import (
    assumed_scales,
    calibrated,
    left_out_at_the_end,
    spanned,
    with_examples,
)
from workloads.importers.examples import Given, read_examples
from workloads.importers.precision import check_finite, narrowed, weights_held
from workloads.importers.registry import check_words
from workloads.importers.tensors import as_array
from workloads.modules.layers import CascadeLinear
from workloads.topology.network import Calibration, NetworkFileError, TrainedNetwork
from workloads.topology.topology import Topology
from workloads.training.quantisation.float_network import FloatNetwork

PASSED = (nn.Flatten, nn.Dropout, nn.Identity)
"""Modules that change nothing of what a trained network computes."""

TAKEN = (
    "CascadeLinear with ReLU after each but the last, and Flatten, Dropout and Identity between, in a "
    "Sequential or a list"
)


def to_network(
    module: nn.Module | Iterable[nn.Module],
    *,
    inputs: Any = None,
    labels: Any = None,
    name: str | None = None,
    input_range: Sequence[float] | None = None,
) -> TrainedNetwork:
    """The network of an `nn.Sequential` of `CascadeLinear` layers, compiled or not, or of its parts in their
    order.

    `inputs` (k, n_in) are those it is run on, of which up to 64 are kept, and by which scales are found,
    without them from random ones; with `labels` (k,) accuracy is measured, at the widths too that layers were
    rounded to. Layers that were trained with rounding keep the scales that they were trained with.
    `input_range` is the least and the largest input, by default that of the first layer, or of the inputs.
    A ReLU after the last layer is left out. Save it, and a design point takes the file.

    Raises NetworkFileError for another structure, and refusals as `import_network` does for what does not
    fit.
    """
    check_words(name=(name, False))
    layers, ends_in_relu = _layers(module)
    first, last = layers[0], str(len(layers))
    given = Given.of("inputs", inputs), Given.of("labels", labels)
    examples = read_examples(*given, n_in=first.in_features, n_out=layers[-1].out_features)
    span = spanned(examples, first.input_range if input_range is None else input_range)
    topology = Topology(tuple(layer.stages for layer in layers))
    weights, small = _weights(layers)
    biases = _biases(layers)
    remarks = (*left_out_at_the_end(last, "relu" if ends_in_relu else "none"), *small)
    if all(layer.has_scales for layer in layers):
        calibration = Calibration((100.0,), tuple((reach,) for reach in _reaches(layers)))
    else:
        calibration = calibrated(FloatNetwork(topology, weights, biases), examples, span)
        remarks = remarks if examples else (*remarks, assumed_scales(span))
    network = TrainedNetwork(
        name or "network",
        topology,
        weights,
        calibration,
        {"families": [layer.family for layer in layers], "trained_in": "PyTorch"},
        biases=biases,
        input_range=span,
        remarks=remarks,
    )
    if examples is None:
        return network
    widths = {(layer.weight_bits, layer.activation_bits) for layer in layers}
    apart = sorted(
        (weights, values) for weights, values in widths if weights and values and weights != values
    )
    return with_examples(network, examples, apart)


def _layers(module: nn.Module | Iterable[nn.Module]) -> tuple[list[CascadeLinear], bool]:
    """The layers of a module in order, each but the last followed by a ReLU, and whether the last one is."""
    if not isinstance(module, Iterable | nn.Module):
        raise NetworkFileError.of("module", type(module).__name__, TAKEN)
    layers: list[CascadeLinear] = []
    closed = True
    for part in _parts([module] if isinstance(module, nn.Module) else module):
        if isinstance(part, CascadeLinear) and closed:
            layers.append(part)
            closed = False
        elif isinstance(part, nn.ReLU) and layers:
            closed = True
        elif not isinstance(part, PASSED):
            after = f" after a {type(layers[-1]).__name__}" if layers and not closed else ""
            raise NetworkFileError.of("module", f"{type(part).__name__}{after}", TAKEN)
    if not layers:
        raise NetworkFileError.of("module", "without a layer", TAKEN)
    return layers, closed


def _parts(modules: Iterable[nn.Module]) -> Iterable[nn.Module]:
    for given in modules:
        module = getattr(given, "_orig_mod", given)  # what torch.compile wraps
        if isinstance(module, nn.Sequential | nn.ModuleList):
            yield from _parts(module)
        else:
            yield module


def _reaches(layers: Sequence[CascadeLinear]) -> Iterable[float]:
    """What the outputs of every stage reach, as the layers were trained: at the end of one what the next one
    saw of it."""
    for number, layer in enumerate(layers):
        outputs = layer.reaches[1:].tolist()
        following = layers[number + 1] if number + 1 < len(layers) else None
        if following is not None:
            outputs[-1] = float(following.reaches[0])
        yield from outputs


def _weights(layers: Sequence[CascadeLinear]) -> tuple[tuple[NDArray[np.float32], ...], tuple[str, ...]]:
    """The weights of every stage, and what has to be said of them."""
    kept: list[NDArray[np.float32]] = []
    remarks: list[str] = []
    for number, layer in enumerate(layers, start=1):
        for tensor in layer.weights:
            weights = as_array(tensor, f"weights of layer {number}")
            check_finite(f"a weight of layer {number}", weights)
            held, small = weights_held(f"layer {number}", weights)
            kept.append(held)
            remarks += small
    return tuple(kept), tuple(remarks)


def _biases(layers: Sequence[CascadeLinear]) -> tuple[NDArray[np.float32] | None, ...]:
    """The bias of every stage: of the last one of a layer that has one."""
    kept: list[NDArray[np.float32] | None] = []
    for number, layer in enumerate(layers, start=1):
        kept += [None] * len(layer.stages)
        if layer.bias is not None:
            bias = as_array(layer.bias, f"bias of layer {number}")
            check_finite(f"a bias of layer {number}", bias)
            kept[-1] = narrowed(bias)
    return tuple(kept)
