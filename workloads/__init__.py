"""What is computed: topologies, the training core, pruning, quantisation, data sets and trained networks."""

from workloads.families import FAMILIES, build_layer
from workloads.integer import IntegerNetwork, IntegerNetworkError, IntegerStage
from workloads.random_network import random_integer_network
from workloads.topology import (
    BlockStage,
    CscStage,
    DenseStage,
    PrunedStage,
    Stage,
    Topology,
    TopologyError,
    build_stage,
)

__all__ = [
    "FAMILIES",
    "BlockStage",
    "CscStage",
    "DenseStage",
    "IntegerNetwork",
    "IntegerNetworkError",
    "IntegerStage",
    "PrunedStage",
    "Stage",
    "Topology",
    "TopologyError",
    "build_layer",
    "build_stage",
    "random_integer_network",
]
