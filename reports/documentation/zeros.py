"""How many products and cycles an engine whose PEs march in step would be spared by passing over zeros.

A product is one of a stored weight. A step is what such an engine does in a cycle: all PEs of a group, or
where rows of PEs are read for one after the other all of a row, take an activation each. It can be passed
over where all of them are zero. Of a window of so many steps those that cannot take a cycle each, and at
least one is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from archsim.calibration.digits import with_digits
from archsim.engine import Clos, Csc, Dense, Engine
from archsim.engine.clos import ClosMapping
from archsim.engine.lockstep.mapping import LockstepMapping
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.lockstep.rows import RowPlan
from archsim.engine.stimulus import stimulus
from archsim.engine.strided.plan import StridedPlan
from reports.tables import Table
from workloads import (
    IntegerNetwork,
    Topology,
    build_layer,
    load_network,
    quantise,
    random_integer_network,
)
from workloads.families.budget import fit_budget

WINDOWS = (2, 4, 8)

RUN: Sequence[tuple[str, Engine]] = (
    ("lenet-300-100-dense", Dense()),
    *((f"lenet-300-100-clos{end}", Clos()) for end in ("", "-x40")),
    *((f"lenet-300-100-deformable-butterfly{end}", Clos()) for end in ("", "-x40")),
    *((f"lenet-300-100-csc{end}", Csc(reads="rotated")) for end in ("", "-x40")),
    *((f"lenet-300-100-csc{end}", Csc(reads="along_stride")) for end in ("", "-x40")),
)
"""The networks and the engines that are asked."""

DRAWN, COMPRESSIONS = ("block-diagonal", "butterfly", "kronecker", "monarch"), (12.7, 40)
"""Families of strided blocks of which no network is shipped: their weights are drawn, their digits real."""


@dataclass(frozen=True)
class Spared:
    """Of all samples together: `products`, and those `of_zero`; `steps`, and those of all zeros `idle`; the
    steps `left` with each of the `WINDOWS`; the `words` of weights that all PEs fetch, and those of them
    `wanted` by a step that is not idle."""

    products: int = 0
    of_zero: int = 0
    steps: int = 0
    idle: int = 0
    left: tuple[int, ...] = (0,) * len(WINDOWS)
    words: int = 0
    wanted: int = 0

    def __add__(self, other: Spared) -> Spared:
        sums = (getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        numbers = {each.name: number for each, number in zip(fields(self), sums, strict=True)}
        left = tuple(map(sum, zip(self.left, other.left, strict=True)))
        return Spared(**numbers | {"left": left})


def spared(mapping: LockstepMapping) -> Spared:
    """What the samples that stand for all spare this mapping."""
    signals = mapping.network.signals(stimulus(mapping.network))
    together = Spared()
    for number, plans in enumerate(mapping.of_stages):
        for plan in plans:
            for sample in signals[number].T:
                moved = _operands(mapping, number, plan, sample)
                together += _of_plan(plan, moved, mapping.weights_per_fetch)
    return together


def _of_plan(plan: StagePlan, moved: NDArray[np.bool_], per_fetch: int) -> Spared:
    """The same of one plan on one sample, whose operands `moved` are not zero, shape (groups, pes, taps)."""
    needed, products = _steps(plan, moved), int(plan.busy.sum()) * plan.taps
    if isinstance(plan, RowPlan) and plan.reading in ("words", "rows"):
        # What a PE takes it takes from another, which has to have taken it.
        needed = np.ones_like(needed)
    of_groups = np.ones((plan.groups, plan.steps), dtype=bool)
    if not isinstance(plan, RowPlan) or plan.reading not in ("words", "rows"):
        of_groups[:, plan.bias_words :] = moved.any(axis=1)
    padded = np.pad(of_groups.ravel(), (0, -of_groups.size % per_fetch)).reshape(-1, per_fetch)
    return Spared(
        products,
        products - int(moved.sum()),
        needed.size,
        int((~needed).sum()),
        tuple(_left(needed, window) for window in WINDOWS),
        len(padded),
        int(padded.any(axis=1).sum()),
    )


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
        assert isinstance(plan, StridedPlan)
        taken[plan.busy] = words[plan.addresses[plan.busy]] != 0
        return taken
    stage = mapping.network.stages[number].stage
    columns = np.pad(stage.columns().reshape(stage.n_out, -1), ((0, plan.zeros), (0, 0)))
    taken[plan.busy] = signal[columns[plan.order]] != 0
    return taken


def _steps(plan: StagePlan, moved: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether some PE takes what is not zero in each step, shape (groups or rows, taps)."""
    if not isinstance(plan, RowPlan) or plan.reading == "shared":
        together: NDArray[np.bool_] = np.any(moved, axis=1)
        return together
    of_rows: NDArray[np.bool_] = np.any(moved.reshape(plan.groups, -1, plan.banks, plan.taps), axis=2)
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
    "words of weights left": "share 1",
}


def _asked() -> Iterator[tuple[str, Engine, IntegerNetwork]]:
    for name, engine in RUN:
        trained = quantise(load_network(name), engine.weight_bits, engine.activation_bits)
        assert isinstance(trained, IntegerNetwork)
        yield name.removeprefix("lenet-300-100-"), engine, trained
    for family in DRAWN:
        for compression in COMPRESSIONS:
            yield f"{family}, {compression:g}×, drawn", Clos(), _drawn(family, compression)


def _drawn(family: str, compression: float) -> IntegerNetwork:
    """LeNet-300-100 of this family with about so many times fewer weights, drawn at random."""
    layers = (
        build_layer(family, n_in, n_out, **fit_budget(family, n_in, n_out, round(n_in * n_out / compression)))
        for n_in, n_out in ((784, 300), (300, 100))
    )
    topology = Topology((*layers, build_layer("dense", 100, 10)))
    return with_digits(random_integer_network(topology, spread=0.3))


def _rows() -> Iterator[tuple[object, ...]]:
    for name, engine, network in _asked():
        mapping = engine.map(network)
        assert isinstance(mapping, LockstepMapping)
        found = spared(mapping)
        shown = f"`{engine.kind}`" + (f" {engine.reads}" if isinstance(engine, Csc) else "")
        shares = (found.of_zero / found.products, found.idle / found.steps)
        left = (steps / found.steps for steps in found.left)
        yield name, shown, *shares, *left, found.wanted / found.words
