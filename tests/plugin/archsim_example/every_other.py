"""A method of pruning, as an installed package may add it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workloads.training.models.model import Model
from workloads.training.pruning import GradualPruning, methods
from workloads.training.schema import Shape


@methods.register("every-other")
class EveryOther(GradualPruning):
    """The even inputs of every layer are kept, and at each event some more of the odd ones go, from the last
    on."""

    example: ClassVar[dict[str, Any]] = {"events": 2}

    def check(self, shapes: Sequence[Shape], epochs: int) -> None:
        """Any dense layers will do."""

    def kept(self, model: Model, left: float) -> list[NDArray[np.int64]]:
        found = []
        for stage in model.topology.stages:
            columns = stage.columns()
            found.append(np.flatnonzero((columns % 2 == 0) | (columns < left * stage.n_in)))
        return found
