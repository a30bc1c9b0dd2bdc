"""The networks that are stored, and their figures beside the published ones: the dense one of the zoo pruned
to the published shares, in several formats, and the zoo's own pruned network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.studies.deep_compression_iclr2016.storage import (
    FLOAT_BITS,
    Format,
    StoredLayer,
    kept_mask,
    store,
)
from reports.tables import Cell
from reports.write_up.predictions import Compared, Kind
from reports.write_up.study_page import Findings

PRUNED_NETWORK = "lenet-300-100-pruned"
SCATTERED = "kept weights scattered evenly"

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
            SCATTERED: _stored(_scattered(pruned, stated["shuffle_seed"]["value"]), form),
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


def findings(measured: Measured, content: Mapping[str, Any]) -> Findings:
    """What the page reads. `content` is the study's data file."""
    network, zoo = measured.predicted, measured.zoo_pruned
    bits, dense = content["parameters"], network.total("dense") * FLOAT_BITS
    bare = network.total("kept") * (bits["weight_bits"] + bits["index_bits"])
    scattered = measured.variants[SCATTERED]
    factor_pq, (zoo_pq, zoo_pqh) = _factors(network)[0], _factors(zoo)
    networks = {"predicted": network, PRUNED_NETWORK: zoo, **measured.variants}
    variants = _variant_rows(measured, content["total"])
    return Findings(
        figures={
            "pruned_network": PRUNED_NETWORK,
            "layers": {layer.name: layer for layer in network.layers},
            "widest": max(network.layers, key=lambda layer: layer.unused_inputs),
            "factor_bare": dense / bare,
            "factor_pq": factor_pq,
            "padding": network.total("padding") / network.total("kept"),
            "padding_scattered": scattered.total("padding") / scattered.total("kept"),
            "codebooks": network.total("codebook_bits") / bare,
            "zoo_fewer": zoo.total("dense") / zoo.total("kept"),
            "zoo_factor_pq": zoo_pq,
            "zoo_factor_pqh": zoo_pqh,
            "variants": len(variants) - 1,
        },
        predictions={
            "layers": list(_layer_rows(network, content["layers"])),
            "total": _total_rows(network, content),
        },
        rows={"parts": list(_part_rows(measured)), "variants": variants},
        plain={
            "networks": {name: [vars(layer) for layer in one.layers] for name, one in networks.items()},
        },
    )


def _layer_rows(network: StoredNetwork, stated: Mapping[str, Any]) -> Iterator[Compared]:
    for layer in network.layers:
        dense, published = layer.dense * FLOAT_BITS, stated[layer.name]
        for figure, predicted, key, unit in (
            ("rate pq", layer.bits / dense, "rate_pq", "share"),
            ("bits a weight, pqh", layer.huffman_weight_bits / layer.entries, "weight_bits_pqh", "bit"),
            ("bits an index, pqh", layer.huffman_index_bits / layer.entries, "index_bits_pqh", "bit"),
            ("rate pqh", layer.huffman_bits / dense, "rate_pqh", "share"),
        ):
            yield _compared(layer.name, figure, predicted, published[key], unit)


def _total_rows(network: StoredNetwork, content: Mapping[str, Any]) -> list[Compared]:
    entries, dense = network.total("entries"), network.total("dense") * FLOAT_BITS
    bits, coded = network.total("bits"), network.total("huffman_bits")
    mean_weight = network.total("huffman_weight_bits") / entries
    mean_index = network.total("huffman_index_bits") / entries
    fewer = network.total("dense") / network.total("kept")
    before = (dense + content["biases"] * FLOAT_BITS) / 8
    rows: tuple[tuple[str, float, str, str, Kind], ...] = (
        ("factor by pruning", fewer, "prune_factor", "times", "arithmetic"),
        ("factor pq", dense / bits, "factor_pq", "times", "predicted"),
        ("rate pq", bits / dense, "rate_pq", "share", "arithmetic"),
        ("bits a weight, pqh", mean_weight, "weight_bits_pqh", "bit", "predicted"),
        ("bits an index, pqh", mean_index, "index_bits_pqh", "bit", "predicted"),
        ("factor pqh", dense / coded, "factor_pqh", "times", "predicted"),
        ("rate pqh", coded / dense, "rate_pqh", "share", "arithmetic"),
        ("size before", before, "size_ref_byte", "byte", "arithmetic"),
        ("size after, pqh", coded / 8, "size_compressed_byte", "byte", "arithmetic"),
    )
    return [
        _compared("all", figure, predicted, content["total"][key], unit, kind)
        for figure, predicted, key, unit, kind in rows
    ]


def _compared(
    place: str, figure: str, predicted: float, published: float, unit: str, kind: Kind = "predicted"
) -> Compared:
    return Compared(
        place=place,
        figure=figure,
        predicted=predicted,
        published=published,
        unit=unit,
        exactness="exact",
        kind=kind,
    )


def _part_rows(measured: Measured) -> Iterator[tuple[Any, ...]]:
    for label, network in (
        ("pruned to the published shares", measured.predicted),
        (f"{PRUNED_NETWORK}, retrained", measured.zoo_pruned),
    ):
        for layer in network.layers:
            dense = layer.dense * FLOAT_BITS
            shares = (layer.kept / layer.dense, layer.padding / layer.kept, layer.codebook_bits / layer.bits)
            rates = (layer.bits / dense, layer.huffman_bits / dense)
            lengths = (layer.huffman_weight_bits / layer.entries, layer.huffman_index_bits / layer.entries)
            yield (label, layer.name, layer.kept, *shares, *rates, *lengths)


def _factors(network: StoredNetwork, more_bits: int = 0) -> tuple[float, float]:
    """Factors pq and pqh with so many bits more."""
    dense = network.total("dense") * FLOAT_BITS
    return dense / (network.total("bits") + more_bits), dense / (network.total("huffman_bits") + more_bits)


def _variant_rows(measured: Measured, stated: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    base, zoo = measured.predicted, measured.zoo_pruned
    plain, coded = _factors(base)
    fewer = zoo.total("dense") / zoo.total("kept")
    published = (stated["factor_pq"], stated["factor_pqh"])
    return [
        ("predicted", plain, coded),
        ("codebooks not counted", *_factors(base, -base.total("codebook_bits"))),
        ("Huffman tables counted", plain, _factors(base, base.total("code_table_bits"))[1]),
        *((name, *_factors(network)) for name, network in measured.variants.items()),
        (f"{PRUNED_NETWORK}, {fewer:.1f} times fewer weights", *_factors(zoo)),
        ("published", *(Cell(value, f"{value:g}×") for value in published)),
    ]
