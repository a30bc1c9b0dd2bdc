"""The names that the package offers."""

from __future__ import annotations

import workloads


def test_the_public_names_are_these() -> None:
    assert sorted(workloads.__all__) == [
        "BlockStage",
        "Calibration",
        "CheckpointError",
        "CscStage",
        "DataError",
        "DataUnavailableError",
        "DenseStage",
        "IntegerNetwork",
        "IntegerNetworkError",
        "IntegerStage",
        "KroneckerStage",
        "LabelledData",
        "NetworkFileError",
        "PrunedStage",
        "Recipe",
        "RecipeError",
        "Samples",
        "Stage",
        "Topology",
        "TopologyError",
        "TrainedModel",
        "TrainedNetwork",
        "TrainingError",
        "accuracies",
        "build_layer",
        "build_stage",
        "datasets",
        "evaluate",
        "fit_budget",
        "import_network",
        "layer_sensitivity",
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
    assert all(hasattr(workloads, name) for name in workloads.__all__)
