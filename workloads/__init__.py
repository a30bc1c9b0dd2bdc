"""What is computed: topologies, the training core, pruning, quantisation, data sets and trained networks."""

from workloads.checkpoint import CheckpointError
from workloads.datasets import load_data
from workloads.digits import test_digits
from workloads.evaluate import evaluate
from workloads.families import FAMILIES, build_layer, fit_budget
from workloads.fashion import load_fashion_mnist
from workloads.images import DataUnavailableError
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
from workloads.trained_model import TrainedModel
from workloads.training import TrainingError, train, train_model, train_to_file

__all__ = [
    "FAMILIES",
    "BlockStage",
    "Calibration",
    "CheckpointError",
    "CscStage",
    "DataUnavailableError",
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
    "TrainedModel",
    "TrainedNetwork",
    "TrainingError",
    "build_layer",
    "build_stage",
    "evaluate",
    "fit_budget",
    "load_data",
    "load_fashion_mnist",
    "load_mnist",
    "load_network",
    "load_recipe",
    "parse_recipe",
    "quantise",
    "random_integer_network",
    "recipe_names",
    "test_digits",
    "train",
    "train_model",
    "train_to_file",
    "zoo_names",
]
