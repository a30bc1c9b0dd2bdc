"""Calibration of engines that train: netlists drawn by seed, as `calibrate` has them of others.

Beside the coefficients stands what was measured. What was drawn follows from the seed, and is drawn again
where the table is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from archsim.calibration.calibrate import Error, errors, measure, write_coefficients
from archsim.calibration.digits import with_digits
from archsim.calibration.measurement import (
    MEASURED,
    SETS,
    UNITS,
    Measurement,
    figure,
    logic_of,
    memory_parts,
    stored_text,
)
from archsim.costs.fidelity.estimate import PATH_METRIC, logic_fit
from archsim.costs.operands import workload_of
from archsim.engine import Engine, engines
from archsim.engine.draws import TypicalDraws
from archsim.engine.mapping import MappingError
from archsim.engine.training.mapping import TrainingMapping
from archsim.engine.training.options import begun_from
from archsim.technology import Technology
from archsim.technology.quantity import read_table
from rtl.engines.training.sizes import SUFFIXES, Overlap
from workloads import Topology
from workloads.files import write_text
from workloads.training.models.model import initial_arrays
from workloads.training.schema import OnChipRecipe, RecipeError

TITLES: Mapping[Overlap, str] = {
    "none": "engines that train",
    "pipelined": "engines that train overlapped samples",
}
"""What engines of either form are called."""


@dataclass(frozen=True)
class TrainingPlan:
    """What engines of one form are calibrated on: by technology the seed and the number of netlists of each
    set, the engines that take turns, and the most cycles of a step."""

    sets: Mapping[str, Mapping[str, tuple[int, int]]]
    turns: tuple[str, ...]
    most_cycles: int


PLANS: Mapping[Overlap, TrainingPlan] = {
    "none": TrainingPlan(
        {
            "cmos65": {"train": (11, 24), "held_out": (412, 9)},
            "artix7": {"train": (11, 18), "held_out": (412, 6)},
        },
        ("clos", "csc", "dense"),
        4000,
    ),
    "pipelined": TrainingPlan(
        {
            "cmos65": {"train": (23, 16), "held_out": (423, 6)},
            "artix7": {"train": (23, 16), "held_out": (423, 6)},
        },
        ("clos", "csc", "dense", "csc"),
        1200,
    ),
}
PES, RATE_SHIFT = (2, 4, 8, 16, 32), 6


@dataclass(frozen=True)
class TrainingConfiguration:
    """A network before its first step on an engine that trains it."""

    engine: Engine
    arithmetic: OnChipRecipe
    topology: Topology
    seed: int

    def map(self, fabric: str = "asic") -> TrainingMapping:
        """The network, to be trained on digits that another network names. Raises MappingError or RecipeError
        where the engine cannot."""
        ours, theirs = (
            begun_from(
                "drawn",
                self.topology,
                initial_arrays(self.topology, np.random.default_rng((self.seed, number))),
                self.arithmetic,
                inputs=self.arithmetic.activation_bits - 1,
                rate_shift=RATE_SHIFT,
                random=np.random.default_rng(self.seed),
            )
            for number in (0, 1)
        )
        network = with_digits(ours.network("drawn"))
        return TrainingMapping(network, self.engine, ours, RATE_SHIFT, theirs.network("teacher"))


def drawn(technology: str, label: str, overlap: Overlap = "none") -> list[TrainingConfiguration]:
    """The configurations of a set of a technology's plan, the same each time: the engines that train take
    turns, PEs are powers of two from 2 to 32, stored weights have 8 to 16 bits, signals and errors 4 to 10,
    each of these 12 and 8 in a third of the draws."""
    plan = PLANS[overlap]
    seed, count = plan.sets[technology][label]
    random, turns = np.random.default_rng(seed), itertools.cycle(plan.turns)
    return [_drawn(random, next(turns), overlap, plan.most_cycles) for _ in range(count)]


def _drawn(
    random: np.random.Generator, kind: str, overlap: Overlap, most_cycles: int
) -> TrainingConfiguration:
    """Anew until the engine trains it, at a rate that its widths hold, in so many cycles at most."""
    while True:
        pes = int(random.choice(PES))
        usual = bool(random.random() < 1 / 3)
        weight, signal, error = (int(random.integers(*ends)) for ends in ((8, 17), (4, 11), (4, 11)))
        weight, signal, error = (12, 8, 8) if usual else (weight, signal, error)
        arithmetic = OnChipRecipe(
            pes=pes,
            weight_bits=weight,
            forward_bits=int(random.integers(6, weight + 1)) if random.random() < 1 / 3 else None,
            activation_bits=signal,
            error_bits=error,
            rounding="stochastic" if random.random() < 1 / 3 else "nearest",
            overlap=overlap,
        )
        layers = tuple(engines[kind].layers(TypicalDraws(random)))
        made = TrainingConfiguration(
            engines[kind](pes=pes), arithmetic, Topology(layers), int(random.integers(1 << 30))
        )
        with suppress(MappingError, RecipeError):
            mapping = made.map()
            if mapping.images and mapping.counts.cycles <= most_cycles:
                return made


def calibrate_training(
    technology: Technology, directory: Path, overlap: Overlap = "none"
) -> tuple[Error, ...]:
    """Synthesises what is drawn, fits, writes the data files to `directory`, and returns the errors on the
    netlists that the fit never saw. An interrupted run goes on where it stopped."""
    measured = {
        label: measure(drawn(technology.kind, label, overlap), technology, f"training {overlap} {label}")
        for label in SETS
    }
    _write_measured(technology, measured, directory, overlap)
    stored = read_training(technology, directory, overlap)
    return write_coefficients(technology, stored, directory, _name(technology, overlap))


def held_out_training(technology: Technology, overlap: Overlap = "none") -> tuple[Error, ...]:
    """The errors of the stored fit on the stored netlists that it never saw; nothing is synthesised."""
    stored = read_training(technology, overlap=overlap)
    return errors(stored["held_out"], logic_fit(_name(technology, overlap)), technology)


def _name(technology: Technology, overlap: Overlap) -> str:
    return f"{technology.kind}{SUFFIXES[overlap]}"


def _write_measured(
    technology: Technology, measured: dict[str, list[Measurement]], directory: Path, overlap: Overlap
) -> None:
    """The table of what was measured, a row a component, and what its columns are."""
    metrics = MEASURED[technology.fabric]
    rows = [
        {
            "set": label,
            "configuration": number,
            PATH_METRIC: stored_text(one.logic.critical_path_s or 0.0),
            "component": part.component,
            "instances": part.instances,
            **{metric: f"{figure(part, metric):.6g}" for metric in metrics},
        }
        for label, several in measured.items()
        for number, one in enumerate(several)
        for part in (*one.logic.parts, *memory_parts(one.logic))
    ]
    name = f"logic_fit_{_name(technology, overlap)}_measured"
    write_text(directory / f"{name}.csv", pd.DataFrame(rows).to_csv(index=False), precious=True)
    units = {
        "set": "text",
        "configuration": '"1"',
        PATH_METRIC: "s",
        "component": "text",
        "instances": '"1"',
        **{metric: UNITS[metric] for metric in metrics},
    }
    described = (
        f"title: Netlists of {TITLES[overlap]} on {technology.kind}, fitted to, and held out\n"
        f"table: {name}.csv\nkind: measured\nsource: >-\n"
        "  Engines drawn by seed in archsim.calibration.training, in its order, mapped by Yosys to\n"
        f"  {technology.kind}, one row per component, all its instances together\ncolumns:\n"
    )
    write_text(directory / f"{name}.yaml", described + "".join(f"  {c}: {u}\n" for c, u in units.items()))


def read_training(
    technology: Technology, directory: Path | None = None, overlap: Overlap = "none"
) -> dict[str, list[Measurement]]:
    """The stored measurements by set: those that ship, or those of a directory."""
    rows = read_table(f"logic_fit_{_name(technology, overlap)}_measured.csv", directory).rows
    return {
        label: list(_read(technology, label, [r for r in rows if r["set"] == label], overlap))
        for label in SETS
    }


def _read(
    technology: Technology, label: str, rows: Sequence[Mapping[str, Any]], overlap: Overlap
) -> Iterator[Measurement]:
    by_configuration = itertools.groupby(rows, key=lambda row: row["configuration"])
    configurations, name = drawn(technology.kind, label, overlap), _name(technology, overlap)
    for configuration, (_, grouped) in zip(configurations, by_configuration, strict=True):
        mapping, logic = configuration.map(technology.fabric), logic_of(list(grouped), name)
        workload = workload_of(mapping) if technology.follows_switching else None
        delays = {mapping.sizes.family: logic.critical_path_s or 0.0}
        yield Measurement(mapping.sizes, logic, workload, delays)
