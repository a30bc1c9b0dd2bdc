"""One design point and what is known of it, wherever it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.costs.breakdown import Breakdown
from archsim.costs.errors import FitError
from archsim.costs.result import CLOCK
from archsim.engine.training.options import MULTIPLIERS, Training
from archsim.explore.spec import TRAINING
from archsim.technology.evidence import Bracket

FETCHED = ("weight", "index")
"""The memories that bring what a product needs beside its activation; each PE has one of each."""


@dataclass(frozen=True)
class Point:
    """One design point and what is known of it.

    `fields` are those of the design by their names with dots, `figures` by the names of metrics in their SI
    units. Where they go is told by `values`, the whole result as `simulate --json` prints it, or by the
    `breakdown` of a row; a row of the first format has neither. A point that was refused has an `error`.
    `source` is the file or folder, `mark` the name of a point that stands out.
    """

    name: str
    source: str
    fields: Mapping[str, Any]
    fidelity: str
    figures: Mapping[str, float]
    version: str
    values: Mapping[str, Any] | None = None
    error: str | None = None
    breakdown: Breakdown | None = None
    warnings: tuple[str, ...] = ()
    mark: str = ""

    @property
    def known_by_component(self) -> bool:
        return self.values is not None or self.breakdown is not None

    @property
    def clock_met(self) -> bool:
        """Whether the critical path allows the clock, as far as it is known."""
        return not any(warning.startswith(CLOCK) for warning in self.warnings)

    @property
    def trains(self) -> bool:
        """Whether its figures are of a step of training."""
        return self.fields.get(TRAINING) is not None or any(
            name.startswith(f"{TRAINING}.") for name in self.fields
        )

    def components(self, metric: str) -> Mapping[str, float]:
        """A metric by component, the largest first; empty where that is not known."""
        if self.breakdown is not None:
            return self.breakdown.components(metric, self.figures["interval_s"])
        parts: Mapping[str, Any] = (self.values or {}).get("components", {})
        if metric in parts:
            return dict(parts[metric])
        taken = {name: counts.get(metric, 0) for name, counts in parts.get("resources", {}).items()}
        return dict(sorted(((n, v) for n, v in taken.items() if v), key=lambda item: -item[1]))

    def traffic(self) -> Mapping[str, int]:
        """Bits through the ports of each memory in one inference; empty where that is not known."""
        return {
            f"{role} memory": words["bits_read"] + words["bits_written"]
            for role, words in self._memories().items()
        }

    def _memories(self) -> Mapping[str, Mapping[str, int]]:
        if self.breakdown is not None:
            return self.breakdown.traffic()
        told: Mapping[str, Mapping[str, int]] = (self.values or {}).get("traffic", {})
        return told

    def fit_error(self) -> Mapping[str, FitError]:
        """By figure the relative errors of what a fit predicts of it; empty where they are not known."""
        if self.breakdown is not None:
            return self.breakdown.fit_error(self.figures.get("energy_j"))
        told: Mapping[str, Mapping[str, float]] = (self.values or {}).get("fit_error", {})
        return {name: FitError(**error) for name, error in told.items()}

    def technology_error(self) -> Mapping[str, Bracket]:
        """By figure the ends between which the truth is taken to lie, as multiples of it."""
        if self.breakdown is not None:
            return self.breakdown.technology_error(self.figures.get("energy_j"), self.figures["interval_s"])
        told: Mapping[str, Mapping[str, float]] = (self.values or {}).get("technology_error", {})
        return {name: Bracket(**ends) for name, ends in told.items()}

    def work(self) -> Work | None:
        """What it computes and fetches; None where that is not known, or it fetches nothing."""
        counted = self.breakdown.counted() if self.breakdown is not None else self.values
        memories = [words for role, words in self._memories().items() if role in FETCHED]
        bits = sum(words["bits_read"] for words in memories)
        pes, clock_hz = (
            (counted or {}).get("pes") or self.fields.get("engine.pes"),
            self.fields.get("clock_hz"),
        )
        if not counted or not bits or not isinstance(pes, int) or not isinstance(clock_hz, int | float):
            return None
        cycle_bytes = pes * sum(_word_bits(words) for words in memories) / 8
        interval_s = self.figures["interval_s"]
        peak = pes * self._products_a_cycle * clock_hz
        return Work(counted["macs"], bits / 8, interval_s, peak, cycle_bytes * clock_hz)

    @property
    def _products_a_cycle(self) -> int:
        """What a PE can make at most: one, or where it trains as many as it has multipliers."""
        overlap = self.fields.get("training.overlap", Training.model_fields["overlap"].default)
        return MULTIPLIERS[overlap] if self.trains else 1


@dataclass(frozen=True)
class Work:
    """What an engine does in an inference, one every `interval_s`, and could do at most.

    It computes `macs` of stored weights and fetches `fetched_bytes` from the memories of weights and indices.
    With one product a cycle in each multiplier of its PEs it would compute `peak_macs_per_s`, and with one
    word a cycle of each of these memories fetch `peak_bytes_per_s`.
    """

    macs: int
    fetched_bytes: float
    interval_s: float
    peak_macs_per_s: float
    peak_bytes_per_s: float

    @property
    def macs_per_byte(self) -> float:
        return self.macs / self.fetched_bytes

    @property
    def macs_per_s(self) -> float:
        return self.macs / self.interval_s

    @property
    def attainable_macs_per_s(self) -> float:
        """What it could compute at most, for so many bytes."""
        return min(self.peak_macs_per_s, self.peak_bytes_per_s * self.macs_per_byte)


def _word_bits(words: Mapping[str, int]) -> int:
    """The bits of a word of a memory that was read."""
    return words["word_bits"] if "word_bits" in words else words["bits_read"] // words["words_read"]


def differing(points: Sequence[Point]) -> tuple[str, ...]:
    """The fields of designs that are not the same in all points, in the order in which they are met."""
    names = dict.fromkeys(name for point in points for name in point.fields)
    return tuple(n for n in names if len({json.dumps(point.fields.get(n)) for point in points}) > 1)
