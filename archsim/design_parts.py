"""What the names in a design point stand for: networks, as floats and integers, and how they lie on engines.
Each is found once, and again where a network's file has changed.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache

from archsim.accuracy import AccuracyError, accuracy_at
from archsim.engine import Engine
from archsim.engine.mapping import Mapping, MappingError
from archsim.engine.training.mapping import TrainingMapping
from archsim.engine.training.options import Training
from archsim.inputs import InputFile, with_inputs
from workloads import AnyIntegerNetwork, IntegerNetwork, TrainedNetwork, quantise, read_network
from workloads.importers import AnyNetwork
from workloads.topology.recognise import superfluous

NAMING_BITS = 8
"""The width of weights with which a trained network names its samples for the training of another."""


def stamp_of(network: str) -> int:
    """Changes when a network's file does, so that nothing stale is used."""
    try:
        status = os.stat(network)
    except (OSError, ValueError):
        return 0
    return status.st_mtime_ns if stat.S_ISREG(status.st_mode) else 0


@lru_cache(maxsize=32)
def trained_network(network: str, stamp: int) -> AnyNetwork:
    return read_network(network)


@lru_cache(maxsize=32)
def zero_warnings(network: str, stamp: int) -> tuple[str, ...]:
    """What is amiss where many of the weights that are stored are zero."""
    trained = trained_network(network, stamp)
    if not isinstance(trained, TrainedNetwork):
        return ()
    pairs = zip(trained.topology.stages, trained.weights, strict=True)
    zeros, stored = sum(superfluous(stage, weights) for stage, weights in pairs), trained.stored_weights
    if not zeros:
        return ()
    return (
        f"{zeros:,} of {stored:,} stored weights are zero, and are fetched and multiplied all the same: "
        "`archsim import` makes a network of the others",
    )


@lru_cache(maxsize=256)
def known_accuracy(
    network: str, stamp: int, weight_bits: int, activation_bits: int
) -> tuple[float | None, str]:
    """The accuracy at these widths, or none and the reason."""
    try:
        return accuracy_at(trained_network(network, stamp), weight_bits, activation_bits), ""
    except AccuracyError as refused:
        return None, str(refused)


@lru_cache(maxsize=64)
def integer_network(
    network: str, stamp: int, weight_bits: int, activation_bits: int, inputs: InputFile | None
) -> AnyIntegerNetwork:
    integer = quantise(trained_network(network, stamp), weight_bits, activation_bits)
    return with_inputs(integer, inputs) if inputs else integer


@lru_cache(maxsize=256)
def mapping_on(network: str, stamp: int, engine: Engine, fabric: str, inputs: InputFile | None) -> Mapping:
    integer = integer_network(network, stamp, engine.weight_bits, engine.activation_bits, inputs)
    mapping = engine.map(integer, fabric)
    assert mapping.sizes, "or what the hardware does not support is refused"
    return mapping


@lru_cache(maxsize=64)
def training_on(
    network: str, stamp: int, engine: Engine, training: Training, inputs: InputFile | None
) -> TrainingMapping:
    trained = trained_network(network, stamp)
    if not isinstance(trained, TrainedNetwork):
        raise MappingError.of("model", trained.recipe["model"], "mlp on an engine that trains")
    named = integer_network(network, stamp, NAMING_BITS, training.activation_bits, inputs)
    assert isinstance(named, IntegerNetwork), "of an mlp"
    return TrainingMapping.of(engine, training, trained, named)
