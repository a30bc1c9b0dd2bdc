"""N:M sparsity: of every M neighbouring weights of a row, the N largest are kept.

A. Zhou et al., "Learning N:M fine-grained structured sparse neural networks from scratch", ICLR 2021; 2:4 is
what tensor cores run, A. Mishra et al., "Accelerating sparse deep neural networks", arXiv 2104.08378, 2021.
Here a group loses its weights a few more at every event, from M to N, and trains on as what it has become.

To the hardware this is a pruned network like any other. Where M is a power of two up to 32, the `pruned`
engine finds the groups by itself and stores a weight's place in its group, log2(M) bits, not its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from workloads.stages import Stage
from workloads.training.models.model import Model
from workloads.training.pruning.gradual import GradualPruning
from workloads.training.pruning.registry import methods
from workloads.training.pruning.schedule import row_numbers
from workloads.training.schema import RecipeError, Shape, Whole


@methods.register("n-m")
class NMPruning(GradualPruning):
    """The `n` largest of `m` neighbours in a row are kept; the last group of a row may be smaller than `m`,
    and keeps `n` too, or all that it has."""

    n: Whole = Field(ge=1)
    m: Whole = Field(ge=2)
    example: ClassVar[dict[str, Any]] = {"n": 2, "m": 4}

    @model_validator(mode="after")
    def _fewer_than_there_are(self) -> Self:
        if self.n >= self.m:
            raise RecipeError.of("n", self.n, f"1 to {self.m - 1}, below m")
        return self

    def check(self, shapes: Sequence[Shape], epochs: int) -> None:
        least = min(n_in for n_in, _ in shapes)
        if self.m > least:
            raise RecipeError.of("pruning.m", self.m, f"2 to {least}, the inputs of the narrowest layer")

    def groups_of(self, stage: Stage) -> NDArray[np.int64]:
        """The number of the group that each stored weight lies in, which rises with its position."""
        return row_numbers(stage) * -(-stage.n_in // self.m) + stage.columns() // self.m

    def kept(self, model: Model, left: float) -> list[NDArray[np.int64]]:
        count = self.n + round(left * (self.m - self.n))
        return [
            _largest_of_each(self.groups_of(stage), np.abs(weights).ravel(), count)
            for stage, weights in zip(model.topology.stages, model.of_stages, strict=True)
        ]


def _largest_of_each(
    groups: NDArray[np.int64], magnitudes: NDArray[np.floating], count: int
) -> NDArray[np.int64]:
    """Positions of the `count` largest of every group, in rising order; of equals, the first. The groups
    rise."""
    order = np.lexsort((-magnitudes, groups))
    starts = np.searchsorted(groups, groups)
    return np.sort(order[np.arange(groups.size) - starts < count])
