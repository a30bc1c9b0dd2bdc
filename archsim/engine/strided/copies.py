"""Inputs that are loaded several times, so that each copy lies in an order of its own.

The first stage of a parallel butterfly reads its inputs once for each of its butterflies, in orders that
nothing but a table knows. The load port puts an input wherever it is told to; so the stage becomes one of as
many copies of all inputs, each of them in the order in which its blocks read it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.engine.strided.pieces import Ints
from workloads import PrunedStage, Stage

FEWEST_READERS = 2
"""Weights for each word that is loaded, at least: what only one output reads would be a list of products."""


@dataclass(frozen=True, eq=False)
class Copies:
    """A stage on copies of its inputs: word k of them is input `holds[k]`, shape (copies * n_in,)."""

    stage: Stage
    holds: Ints


def once(stage: Stage) -> Copies:
    """The stage on its inputs as they are."""
    return Copies(stage, np.arange(stage.n_in))


def with_copies(stage: Stage) -> Copies | None:
    """The stage on several copies of its inputs, block after block in each; `None` where one is enough, or
    so many that it is not worth it.

    Rows of the same inputs are a block. A copy goes as far as no block has an input of another one.
    """
    if not isinstance(stage, PrunedStage):
        return None
    most, lengths, columns = stage.stored_weights // FEWEST_READERS, stage.row_lengths(), stage.columns()
    ends = np.cumsum(lengths)
    holds: list[int] = []
    place = np.full(stage.n_in, -1)
    moved = np.empty_like(columns)
    for begin, end in zip(ends - lengths, ends, strict=True):
        row = columns[begin:end]
        if (place[row] >= 0).any() and (np.diff(place[row]) != 1).any():
            _fill(holds, place)
            place[:] = -1
            if len(holds) > most:
                return None
        if (place[row] < 0).all():
            place[row] = np.arange(len(holds), len(holds) + len(row))
            holds += row.tolist()
        moved[begin:end] = place[row]
    _fill(holds, place)
    if not stage.n_in < len(holds) <= most:
        return None
    ends = np.concatenate([[0], ends])
    return Copies(PrunedStage(len(holds), stage.n_out, ends, moved), np.array(holds))


def _fill(holds: list[int], place: Ints) -> None:
    """Completes a copy with the inputs that it has no place for."""
    holds += np.flatnonzero(place < 0).tolist()
