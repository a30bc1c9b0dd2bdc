"""From layers of PyTorch to a network that engines run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from workloads.importers.assemble import calibrated, spanned, with_examples
from workloads.importers.examples import Given, read_examples
from workloads.modules.layers import CascadeLinear
from workloads.topology.network import Calibration, NetworkFileError, TrainedNetwork
from workloads.topology.topology import Topology
from workloads.training.quantisation.float_network import FloatNetwork

PASSED = (nn.Flatten, nn.Dropout, nn.Identity)
"""Modules that change nothing of what a trained network computes."""

TAKEN = "CascadeLinear with ReLU after each but the last, and Flatten, Dropout and Identity between"


def to_network(
    module: nn.Module | Iterable[nn.Module],
    *,
    inputs: Any = None,
    labels: Any = None,
    name: str = "network",
    input_range: Sequence[float] | None = None,
) -> TrainedNetwork:
    """The network of an `nn.Sequential` of `CascadeLinear` layers, or of its parts in their order.

    `inputs` (k, n_in) are those it is run on, of which up to 64 are kept, and by which scales are found; with
    `labels` (k,) accuracy is measured, at the widths too that layers were rounded to. Layers that were
    trained with rounding keep the scales that they were trained with. `input_range` is the least and the
    largest input, by default that of the first layer, or of the inputs. Save it, and a design point takes
    the file.

    Raises NetworkFileError for another structure, and refusals as `import_network` does for what does not
    fit.
    """
    layers = _layers(module)
    first = layers[0]
    given = Given.of("inputs", _plain(inputs)), Given.of("labels", _plain(labels))
    examples = read_examples(*given, n_in=first.in_features, n_out=layers[-1].out_features)
    span = spanned(examples, first.input_range if input_range is None else input_range)
    topology = Topology(tuple(layer.stages for layer in layers))
    weights = tuple(_array(array) for layer in layers for array in layer.weights)
    biases = tuple(
        _array(layer.bias) if layer.bias is not None and ends else None
        for layer in layers
        for ends in (*[False] * (len(layer.stages) - 1), True)
    )
    if all(layer.is_rounded for layer in layers):
        calibration = Calibration((100.0,), tuple((reach,) for reach in _reaches(layers)))
    else:
        calibration = calibrated(FloatNetwork(topology, weights, biases), examples, span)
    network = TrainedNetwork(
        name,
        topology,
        weights,
        calibration,
        {"families": [layer.family for layer in layers], "trained_in": "PyTorch"},
        biases=biases,
        input_range=span,
    )
    if examples is None:
        return network
    widths = {(layer.weight_bits, layer.activation_bits) for layer in layers}
    apart = sorted(
        (weights, values) for weights, values in widths if weights and values and weights != values
    )
    return with_examples(network, examples, apart)


def _layers(module: nn.Module | Iterable[nn.Module]) -> list[CascadeLinear]:
    """The layers of a module in order, each but the last followed by a ReLU."""
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
    return layers


def _parts(modules: Iterable[nn.Module]) -> Iterable[nn.Module]:
    for module in modules:
        if isinstance(module, nn.Sequential):
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


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().cpu().float().numpy().copy()
    return array


def _plain(values: Any) -> Any:
    """A tensor as an array; anything else as it is."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else values
