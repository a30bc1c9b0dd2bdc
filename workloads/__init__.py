"""What is computed: topologies, the training core, pruning, quantisation, data sets and trained networks."""

from __future__ import annotations

from workloads.data.digits import test_digits
from workloads.data.fashion import load_fashion_mnist
from workloads.data.images import DataUnavailableError, ImageData
from workloads.data.mnist import load_mnist
from workloads.data.registry import datasets, load_data
from workloads.families import build_layer, fit_budget
from workloads.importers import load_network, networks, zoo_names
from workloads.topology.integer import IntegerNetwork, IntegerNetworkError, IntegerStage
from workloads.topology.network import (
    Calibration,
    NetworkFileError,
    TrainedNetwork,
)
from workloads.topology.random_network import random_integer_network
from workloads.topology.topology import (
    BlockStage,
    CscStage,
    DenseStage,
    PrunedStage,
    Stage,
    Topology,
    TopologyError,
    build_stage,
)
from workloads.training.checkpoint import CheckpointError
from workloads.training.evaluate import evaluate
from workloads.training.quantise import quantise
from workloads.training.recipe import Recipe, load_recipe, parse_recipe, recipe_names
from workloads.training.schema import RecipeError
from workloads.training.trained_model import TrainedModel
from workloads.training.training import TrainingError, train, train_model, train_to_file

__all__ = [
    "BlockStage",
    "Calibration",
    "CheckpointError",
    "CscStage",
    "DataUnavailableError",
    "DenseStage",
    "ImageData",
    "IntegerNetwork",
    "IntegerNetworkError",
    "IntegerStage",
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
    "datasets",
    "evaluate",
    "fit_budget",
    "load_data",
    "load_fashion_mnist",
    "load_mnist",
    "load_network",
    "load_recipe",
    "networks",
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
