"""The integer form of any network that hardware runs: a cascade of stages, or a model of places or steps."""

from __future__ import annotations

from typing import overload

from workloads.topology.integer import IntegerNetwork
from workloads.topology.integer_model import IntegerModel
from workloads.topology.network import TrainedNetwork
from workloads.topology.placed import PlacedNetwork
from workloads.training.models.trained_model import TrainedModel
from workloads.training.quantisation.placed import placed_network
from workloads.training.quantisation.quantise import quantise as quantise_cascade
from workloads.training.quantisation.quantise_places import quantise_places


@overload
def quantise(network: TrainedNetwork, weight_bits: int, activation_bits: int) -> IntegerNetwork: ...


@overload
def quantise(
    network: TrainedModel | PlacedNetwork, weight_bits: int, activation_bits: int
) -> IntegerModel: ...


@overload
def quantise(
    network: TrainedNetwork | TrainedModel | PlacedNetwork, weight_bits: int, activation_bits: int
) -> IntegerNetwork | IntegerModel: ...


def quantise(
    network: TrainedNetwork | TrainedModel | PlacedNetwork, weight_bits: int, activation_bits: int
) -> IntegerNetwork | IntegerModel:
    """The integer form of these widths, 2 to 16 bits each, closest to `network` stage by stage: of a
    multi-layer perceptron an integer network, of one with places or steps an integer model.

    An `IntegerNetworkError` refuses what no engine runs: skip connections, and a tanh.
    """
    if isinstance(network, TrainedNetwork):
        return quantise_cascade(network, weight_bits, activation_bits)
    placed = placed_network(network) if isinstance(network, TrainedModel) else network
    return quantise_places(placed, weight_bits, activation_bits)
