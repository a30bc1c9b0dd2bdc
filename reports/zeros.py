"""How many products and cycles an engine whose PEs march in step would be spared by passing over zeros.

A product is one of a stored weight. A step is what such an engine does in a cycle: all PEs of a group, or
where rows of PEs are read for one after the other all of a row, take an activation each. It can be passed
over where all of them are zero. Of a window of so many steps those that cannot take a cycle each, and at
least one is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.engine import Clos, Csc, Dense, Engine
from archsim.engine.clos import ClosMapping
from archsim.engine.lockstep.mapping import LockstepMapping
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.lockstep.rows import RowPlan
from archsim.engine.stimulus import stimulus
from reports.tables import Table
from workloads import load_network, quantise

WINDOWS = (2, 4, 8)

RUN: Sequence[tuple[str, Engine]] = (
    ("lenet-300-100-dense", Dense()),
    *((f"lenet-300-100-clos{end}", Clos()) for end in ("", "-x40")),
    *((f"lenet-300-100-deformable-butterfly{end}", Clos()) for end in ("", "-x40")),
    *((f"lenet-300-100-csc{end}", Csc(reads="rotated")) for end in ("", "-x40")),
    *((f"lenet-300-100-csc{end}", Csc(reads="along_stride")) for end in ("", "-x40")),
)
"""The networks and the engines that are asked."""


@dataclass(frozen=True)
class Spared:
    """Of the mean sample: `products`, and those `of_zero`; `steps`, and those of all zeros `idle`; the steps
    that are left with each of the `WINDOWS`; and `passing`, those in which PEs pass on what they took, so that
    nothing is spared by passing over them."""

    products: int
    of_zero: int
    steps: int
    idle: int
    left: tuple[int, ...]
    passing: int = 0


def spared(mapping: LockstepMapping) -> Spared:
    """What the samples of the network's file would spare this mapping, in the mean."""
    inputs = stimulus(mapping.network)
    signals = mapping.network.signals(inputs)
    products = of_zero = steps = idle = passing = 0
    left = np.zeros(len(WINDOWS), dtype=np.int64)
    for number, plans in enumerate(mapping.of_stages):
        for sample in signals[number].T:
            for plan in plans:
                moved = _operands(mapping, number, plan, sample)
                products += int(plan.busy.sum()) * plan.taps
                of_zero += int(plan.busy.sum()) * plan.taps - int(moved.sum())
                needed = _steps(plan, moved)
                steps += needed.size
                if isinstance(plan, RowPlan) and plan.reading in ("words", "rows"):
                    passing += needed.size
                    left += needed.size
                    continue
                idle += int((~needed).sum())
                left += [_left(needed, window) for window in WINDOWS]
    of_mean = [round(total / inputs.shape[1]) for total in (products, of_zero, steps, idle, passing)]
    return Spared(*of_mean[:4], tuple(np.round(left / inputs.shape[1]).astype(int).tolist()), of_mean[4])


def _operands(
    mapping: LockstepMapping, number: int, plan: StagePlan, signal: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each PE takes an activation that is not zero at each tap of a group, shape (groups, pes, taps);
    not where it has no output. `signal` are the inputs of the stage, shape (n_in,)."""
    taken = np.zeros((plan.groups, plan.pes, plan.taps), dtype=bool)
    if isinstance(mapping, ClosMapping):
        first = number == 0
        place = mapping.order.inputs if first else np.argsort(mapping.order.stages[number - 1].order)
        words = np.zeros(int(place.max()) + 1, dtype=np.int64)
        words[place] = signal[mapping.inputs.holds] if first else signal
        taken[plan.busy] = words[plan.addresses[plan.busy]] != 0
        return taken
    stage = mapping.network.stages[number].stage
    columns = np.pad(stage.columns().reshape(stage.n_out, -1), ((0, plan.zeros), (0, 0)))
    taken[plan.busy] = signal[columns[plan.order]] != 0
    return taken


def _steps(plan: StagePlan, moved: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether some PE takes what is not zero in each step, shape (groups or rows, taps)."""
    if not isinstance(plan, RowPlan) or plan.reading == "shared":
        return moved.any(axis=1)
    of_rows = moved.reshape(plan.groups, -1, plan.banks, plan.taps).any(axis=2)
    return of_rows[plan.outputs_of_rows > 0]


def _left(needed: NDArray[np.bool_], window: int) -> int:
    """The cycles that steps take where a window of them is looked at together, shape (…, taps)."""
    padded = np.pad(needed, ((0, 0), (0, -needed.shape[1] % window)))
    return int(np.maximum(padded.reshape(len(needed), -1, window).sum(axis=2), 1).sum())


def zero_table() -> str:
    """Shares of products and steps of the networks of the zoo, in Markdown."""
    return Table("", _COLUMNS, _rows()).markdown().replace("\N{NARROW NO-BREAK SPACE}", " ")


_COLUMNS = {
    "network": "",
    "engine": "",
    "products by zero": "share 1",
    "steps of nothing but zeros": "share 1",
    **{f"cycles left, window of {window}": "share 1" for window in WINDOWS},
}


def _rows() -> Iterator[tuple[object, ...]]:
    for name, engine in RUN:
        mapping = engine.map(quantise(load_network(name), engine.weight_bits, engine.activation_bits))
        assert isinstance(mapping, LockstepMapping)
        found = spared(mapping)
        shares = (found.of_zero / found.products, found.idle / found.steps)
        shown = f"`{engine.kind}`" + (f" {engine.reads}" if isinstance(engine, Csc) else "")
        yield name, shown, *shares, *(steps / found.steps for steps in found.left)
