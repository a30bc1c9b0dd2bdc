"""The networks that are stored: the dense one of the zoo pruned to the published shares, in several formats,
and the zoo's own pruned network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.studies.deep_compression_iclr2016.storage import Format, StoredLayer, kept_mask, store

NAME = "deep-compression-iclr2016"
PRUNED_NETWORK = "lenet-300-100-pruned"

Matrices = Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]]
"""Weights and mask of each layer, both (n_out, n_in)."""


@dataclass(frozen=True)
class StoredNetwork:
    """The layers of a network as they are stored."""

    layers: tuple[StoredLayer, ...]

    def total(self, figure: str) -> int:
        """The sum of a figure over the layers."""
        return int(sum(getattr(layer, figure) for layer in self.layers))


@dataclass(frozen=True)
class Measured:
    """The network as predicted, the same one in other formats, and the zoo's pruned network."""

    predicted: StoredNetwork
    variants: Mapping[str, StoredNetwork]
    zoo_pruned: StoredNetwork


def measure(content: Mapping[str, Any]) -> Measured:
    """Prunes and stores everything; a second's work."""
    stated, bits = content["assumptions"], content["parameters"]
    form = Format(
        weight_bits=bits["weight_bits"],
        index_bits=bits["index_bits"],
        codebook=stated["codebook_values"]["value"],
        order=stated["order_of_weights"]["value"],
    )
    shares = {name: layer["kept"] for name, layer in content["layers"].items()}
    pruned = _pruned(stated["network"]["value"], shares)
    return Measured(
        predicted=_stored(pruned, form),
        variants={
            "by input in place of by output": _stored(pruned, replace(form, order="by input")),
            "a uniform codebook": _stored(pruned, replace(form, codebook="uniform")),
            "each output ended by a bit, as the project's pruned engine needs it": _stored(
                pruned, replace(form, rows_end=True)
            ),
            "kept weights scattered evenly": _stored(
                _scattered(pruned, stated["shuffle_seed"]["value"]), form
            ),
        },
        zoo_pruned=_stored(_own(PRUNED_NETWORK, list(shares)), form),
    )


def _stored(matrices: Matrices, form: Format) -> StoredNetwork:
    return StoredNetwork(
        tuple(store(name, weights, mask, form) for name, (weights, mask) in matrices.items())
    )


def _own(network: str, names: Sequence[str]) -> Matrices:
    """The layers of a network of the zoo with the weights that it keeps itself."""
    from workloads import load_network

    found = load_network(network)
    dense = [
        stage.csr(weights).toarray()
        for stage, weights in zip(found.topology.stages, found.weights, strict=True)
    ]
    return {name: (weights, weights != 0) for name, weights in zip(names, dense, strict=True)}


def _pruned(network: str, shares: Mapping[str, float]) -> Matrices:
    """The layers of a network, the largest weights of each kept in these shares."""
    return {
        name: (weights, kept_mask(weights, shares[name]))
        for name, (weights, _) in _own(network, list(shares)).items()
    }


def _scattered(matrices: Matrices, seed: int) -> Matrices:
    """The same weights at places drawn evenly from the whole layer."""
    random = np.random.default_rng(seed)
    moved = {}
    for name, (weights, mask) in matrices.items():
        places = random.permutation(weights.size)
        moved[name] = weights.ravel()[places].reshape(weights.shape), mask.ravel()[places].reshape(mask.shape)
    return moved
