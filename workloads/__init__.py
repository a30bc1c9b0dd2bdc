"""What is computed: topologies, the training core, pruning, quantisation, data sets and trained networks."""

from workloads.digits import test_digits
from workloads.evaluate import evaluate
from workloads.families import FAMILIES, build_layer
from workloads.integer import IntegerNetwork, IntegerNetworkError, IntegerStage
from workloads.mnist import MnistData, MnistUnavailableError, load_mnist
from workloads.network import (
    Calibration,
    NetworkFileError,
    TrainedNetwork,
    load_network,
    zoo_names,
)
from workloads.quantise import quantise
from workloads.random_network import random_integer_network
from workloads.recipe import Recipe, RecipeError, load_recipe, parse_recipe, recipe_names
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
from workloads.training import TrainingError, train

__all__ = [
    "FAMILIES",
    "BlockStage",
    "Calibration",
    "CscStage",
    "DenseStage",
    "IntegerNetwork",
    "IntegerNetworkError",
    "IntegerStage",
    "MnistData",
    "MnistUnavailableError",
    "NetworkFileError",
    "PrunedStage",
    "Recipe",
    "RecipeError",
    "Stage",
    "Topology",
    "TopologyError",
    "TrainedNetwork",
    "TrainingError",
    "build_layer",
    "build_stage",
    "evaluate",
    "load_mnist",
    "load_network",
    "load_recipe",
    "parse_recipe",
    "quantise",
    "random_integer_network",
    "recipe_names",
    "test_digits",
    "train",
    "zoo_names",
]
