"""A topology as plain values and arrays, for the files of networks and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.stages import build_stage
from workloads.topology.topology import Topology

Layers = list[list[dict[str, Any]]]


def stored_layers(topology: Topology, arrays: dict[str, Any]) -> Layers:
    """The layers as values for JSON; connections that are stored go into `arrays` by name."""
    layers: Layers = []
    number = 0
    for layer in topology.layers:
        layers.append([])
        for stage in layer:
            parameters = stage.parameters()
            for name, value in parameters.items():
                if isinstance(value, np.ndarray):
                    arrays[f"{name}_{number}"] = value
                    parameters[name] = {"array": f"{name}_{number}"}
            layers[-1].append({"kind": stage.kind, "parameters": parameters})
            number += 1
    return layers


def restored_topology(
    layers: Layers,
    arrays: Mapping[str, NDArray[Any]],
    skips: Sequence[bool] = (),
    input_digits: Sequence[int] = (),
    input_order: Sequence[int] = (),
) -> Topology:
    """The topology of these layers; raises as `build_stage` and `Topology` do."""

    def value_of(stored: Any) -> Any:
        return arrays[stored["array"]] if isinstance(stored, dict) else stored

    return Topology(
        tuple(
            tuple(
                build_stage(
                    stage["kind"], {name: value_of(stored) for name, stored in stage["parameters"].items()}
                )
                for stage in layer
            )
            for layer in layers
        ),
        tuple(skips),
        tuple(input_digits),
        tuple(input_order),
    )
