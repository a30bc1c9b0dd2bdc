"""Asks every fidelity the same question and compares the answers, exactly."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass

import numpy as np

from archsim.costs.stimulus import sample_inputs, stimulus_name
from archsim.design import DesignError, DesignPoint
from archsim.engine.counts import Counts
from archsim.engine.hardware_run import counts_of_run, run_rtl
from archsim.engine.mapping import Mapping


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
    and outputs against the closed form, the event simulation and the integer network."""
    mapping = design.mapping if isinstance(design, DesignPoint) else design
    if not isinstance(mapping, Mapping):
        raise DesignError(f"design is {design!r}, allowed are a design point and its mapping")
    x = sample_inputs(mapping.network, inputs, seed)
    levels = {"analytic": mapping.count(), "cycle": mapping.simulate()}
    differences: list[Difference] = []
    expected = mapping.network.run(x)
    runs, outputs = run_rtl(mapping, x)
    for i, run in enumerate(runs):
        levels[f"rtl (input {i})"] = counts_of_run(mapping, run)
        if not np.array_equal(outputs[:, i], expected[:, i]):
            said = {"integer network": expected[:, i].tolist(), "rtl": outputs[:, i].tolist()}
            differences.append(Difference(f"outputs of input {i}", said))
    figures = {}
    tables = {level: _figures(counts) for level, counts in levels.items()}
    for name in tables["analytic"]:
        values = {level: table[name] for level, table in tables.items()}
        if len(set(values.values())) > 1:
            differences.append(Difference(name, values))
        else:
            figures[name] = values["analytic"]
    return Verification(inputs, stimulus_name(mapping.network, inputs, seed), figures, tuple(differences))


def _figures(counts: Counts) -> dict[str, int]:
    names = ("cycles", "load_cycles", "interval_cycles", "products")
    figures = {name: getattr(counts, name) for name in names}
    for role, traffic in counts.traffic.items():
        figures[f"{role} words read"] = traffic.words_read
        figures[f"{role} words written"] = traffic.words_written
    return figures
