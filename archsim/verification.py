"""Asks every fidelity the same question and compares the answers, exactly."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.design import DesignError, DesignPoint
from archsim.engine.counts import Counts
from archsim.engine.hardware_run import counts_of_run, equal_weights, watch_rtl
from archsim.engine.mapping import Mapping
from archsim.engine.stimulus import sample_inputs, stimulus_name


@dataclass(frozen=True)
class Difference:
    """One figure on which two fidelities disagree."""

    what: str
    values: MappingOf[str, object]

    def __str__(self) -> str:
        said = ", ".join(f"{level} says {value}" for level, value in self.values.items())
        return f"{self.what}: {said}"


@dataclass(frozen=True)
class Verification:
    """What was compared, and where it differs. `figures` are those on which all agree, `stimulus` names the
    inputs."""

    inputs: int
    stimulus: str
    figures: dict[str, int]
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences


def verify(design: DesignPoint | Mapping, *, inputs: int = 1, seed: int = 0) -> Verification:
    """Runs `inputs` inputs of a design point, or of its mapping, on the hardware and holds cycles, traffic
    and outputs against the closed form, the event simulation and the integer network; where the engine
    trains, the weights after each input against the specification, and where it has several on their way, so
    many more inputs."""
    mapping = design.mapping if isinstance(design, DesignPoint) else design
    if not isinstance(mapping, Mapping):
        raise DesignError(f"design is {design!r}, allowed are a design point and its mapping")
    inputs += mapping.in_flight
    x = sample_inputs(mapping.network, inputs, seed)
    analytic = mapping.count()
    levels = {"analytic": analytic, "cycle": mapping.simulate()} if analytic.exact else {}
    differences: list[Difference] = []
    figures: dict[str, int] = {}
    expected, weights = mapping.expected(x)
    runs, outputs, kept = watch_rtl(mapping, x)
    for i, run in enumerate(runs):
        planned = mapping.count_of(x[:, [i]])
        counted = counts_of_run(planned, run)
        if analytic.exact:
            levels[f"rtl (input {i})"] = counted
        else:
            of_input = {
                f"recurrence (input {i})": planned,
                f"cycle (input {i})": mapping.simulate(x[:, [i]]),
                f"rtl (input {i})": counted,
            }
            differences += _compare(of_input, figures) + _outside(f"rtl (input {i})", counted, analytic)
        if not np.array_equal(outputs[:, i], expected[:, i]):
            said = {"integer network": expected[:, i].tolist(), "rtl": outputs[:, i].tolist()}
            differences.append(Difference(f"outputs of input {i}", said))
        if not equal_weights(kept[i], weights[i]):
            differences.append(Difference(f"weights after input {i}", _changed(kept[i], weights[i])))
    differences += _compare(levels, figures)
    return Verification(inputs, stimulus_name(mapping.network, inputs, seed), figures, tuple(differences))


def _changed(kept: Sequence[NDArray[np.int64]], expected: Sequence[NDArray[np.int64]]) -> dict[str, object]:
    """How many weights of each stage differ from those that are expected."""
    unlike = [int((mine != other).sum()) for mine, other in zip(kept, expected, strict=True)]
    return {"rtl": f"{unlike} of the stages' weights that differ from the specification's"}


def _compare(levels: MappingOf[str, Counts], figures: dict[str, int]) -> list[Difference]:
    """Where these differ; on what they agree goes into `figures`, once."""
    tables = {level: _figures(counts) for level, counts in levels.items()}
    differences = []
    for name in next(iter(tables.values()), {}):
        values = {level: table[name] for level, table in tables.items()}
        if len(set(values.values())) > 1:
            differences.append(Difference(name, values))
        else:
            figures.setdefault(name, next(iter(values.values())))
    return differences


def _outside(level: str, counted: Counts, analytic: Counts) -> list[Difference]:
    """Where what depends on the inputs lies outside the bounds that hold for all."""
    if analytic.least is None or analytic.most is None:
        return [Difference("bounds", {"analytic": "none", level: "counts that depend on the inputs"})]
    least, most, table = _figures(analytic.least), _figures(analytic.most), _figures(counted)
    return [
        Difference(name, {"analytic": f"{least[name]} to {most[name]}", level: value})
        for name, value in table.items()
        if not least[name] <= value <= most[name]
    ]


def _figures(counts: Counts) -> dict[str, int]:
    names = ("cycles", "load_cycles", "interval_cycles", "products")
    figures = {name: getattr(counts, name) for name in names}
    for role, traffic in counts.traffic.items():
        figures[f"{role} words read"] = traffic.words_read
        figures[f"{role} words written"] = traffic.words_written
    return figures
