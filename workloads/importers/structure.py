"""The stages of matrices: regular ones where the zeros are theirs, pruned ones elsewhere, or pairs of low
rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.layers import Matrix
from workloads.importers.precision import weights_held
from workloads.stages import DenseStage, PrunedStage, Stage
from workloads.topology.network import TrainedNetwork
from workloads.topology.recognise import (
    WORTH_AN_INDEX,
    Pattern,
    chosen,
    group_of,
    low_rank,
    readings,
    superfluous,
    weights_of,
)

Weights = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Structure:
    """The stages that a matrix becomes, with their weights, and what has to be said of it."""

    stages: tuple[Stage, ...]
    weights: tuple[Weights, ...]
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Structure of {', '.join(stage.kind for stage in self.stages)}>"


def structures(matrices: Sequence[tuple[str, Matrix]]) -> list[Structure]:
    """What the matrices (n_out, n_in) of a network become, each with the name of its layer."""
    sparse, remarks = zip(*(_held(name, matrix) for name, matrix in matrices), strict=True)
    kinds = chosen([_choices(matrix) for matrix in sparse])
    built = [
        _structure(name, stage, matrix)
        for (name, _), stage, matrix in zip(matrices, kinds, sparse, strict=True)
    ]
    return [
        replace(structure, remarks=(*said, *structure.remarks))
        for structure, said in zip(built, remarks, strict=True)
    ]


def without_zeros(network: TrainedNetwork) -> TrainedNetwork:
    """The same network where stages that store many zeros are those of what is left of their matrices."""
    changed = {
        number: _stored(stage.csr(weights))
        for number, (stage, weights) in enumerate(zip(network.topology.stages, network.weights, strict=True))
        if superfluous(stage, weights)
    }
    if not changed:
        return network
    choices = [
        _choices(changed[number]) if number in changed else (stage,)
        for number, stage in enumerate(network.topology.stages)
    ]
    stages = chosen(choices)
    weights = tuple(
        weights_of(stage, changed[number]) if number in changed else kept
        for number, (stage, kept) in enumerate(zip(stages, network.weights, strict=True))
    )
    following = iter(stages)
    layers = tuple(tuple(next(following) for _ in layer) for layer in network.topology.layers)
    return replace(network, topology=replace(network.topology, layers=layers), weights=weights)


def _stored(matrix: Matrix) -> Any:
    """The matrix as `csr_array` that stores each weight once and no zero."""
    import scipy.sparse

    sparse = scipy.sparse.csr_array(matrix, copy=True)
    sparse.sum_duplicates()
    sparse.eliminate_zeros()
    return sparse


def _held(name: str, matrix: Matrix) -> tuple[Any, tuple[str, ...]]:
    """The matrix of a layer as it is stored, in 32-bit floats, and what has to be said of that."""
    sparse = _stored(matrix)
    sparse.data, remarks = weights_held(f"layer {name}", sparse.data)
    return sparse, remarks


def _choices(matrix: Any) -> tuple[Stage, ...]:
    """Every stage that a matrix may become."""
    n_out, n_in = matrix.shape
    pattern = Pattern.of(matrix)
    stages = readings(pattern)
    if not isinstance(stages[0], PrunedStage) or matrix.nnz <= WORTH_AN_INDEX * n_in * n_out:
        return stages
    # Half of each group may be more than half of all, where the last group is short.
    kept, group = group_of(pattern) or (1, 1)
    return stages if kept <= WORTH_AN_INDEX * group else (DenseStage(n_in, n_out),)


def _structure(name: str, stage: Stage, matrix: Any) -> Structure:
    """The stage with its weights; of a dense one the pair of its factors where it is of low rank."""
    if not isinstance(stage, DenseStage):
        return Structure((stage,), (weights_of(stage, matrix),))
    full = matrix.toarray()
    factors = low_rank(full)
    if factors is not None:
        outer, seen = factors
        rank = len(seen)
        widths = f"{stage.n_in} to {rank} to {stage.n_out}"
        told = f"layer {name} is of rank {rank} and became two dense stages, {widths}"
        stages = (DenseStage(stage.n_in, rank), DenseStage(rank, stage.n_out))
        return Structure(stages, (seen, outer), (told,))
    zeros = full.size - matrix.nnz
    if not zeros:
        return Structure((stage,), (full,))
    told = (
        f"layer {name} is stored in full with its {zeros:,} zeros of {full.size:,} weights: indices of the "
        "others would take about as much"
    )
    return Structure((stage,), (full,), (told,))
