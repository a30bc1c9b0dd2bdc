"""Bottom-up training of CSC networks against training the final size directly, at equal epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workloads.data.images import ImageData
from workloads.training.recipe import Recipe
from workloads.training.training import train


@dataclass(frozen=True)
class Trained:
    """How one of the two ways came out with one seed: accuracies in [0, 1] on all test images."""

    recipe: str
    seed: int
    stored_weights: int
    float_accuracy: float
    int8_accuracy: float


def bottom_up_against_direct(
    grown: Recipe, direct: Recipe, seeds: Sequence[int], *, data: ImageData | None = None
) -> tuple[Trained, ...]:
    """Train both recipes with every seed; they must differ in name, growth and seed only."""
    if grown.replace(name=direct.name, growth=None, seed=direct.seed) != direct or grown.growth is None:
        raise ValueError(
            f"recipes compared are {grown.name} and {direct.name}; the first must grow, and they must "
            "otherwise be equal but for their names and seeds."
        )
    found = []
    for seed in seeds:
        for recipe in (grown, direct):
            network = train(recipe.replace(seed=seed), progress=False, data=data)
            accuracy = network.accuracy
            found.append(
                Trained(recipe.name, seed, network.stored_weights, accuracy["float"], accuracy["int8"])
            )
    return tuple(found)
