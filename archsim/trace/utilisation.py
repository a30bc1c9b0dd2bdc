"""A run in a small picture: how busy each unit is in each part of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.design import DesignPoint
from archsim.engine.mapping import Mapping
from archsim.trace.runs import Run, TraceError, run_of, window_of
from archsim.trace.states import CODES, Kind, words_of
from archsim.trace.units import Unit
from rtl import State

PARTS = 200
"""Parts of a run that a page shows."""

ALL_PES = Unit("all PEs", "PEs")
"""The mean of the PEs."""


@dataclass(frozen=True, eq=False)
class Share:
    """A unit in each part of a run: the share of its cycles in each state, shape (parts, states). Of words it
    is busy in the share of its ports' cycles in which one goes through."""

    unit: Unit
    states: NDArray[np.float64] = field(repr=False)

    def of(self, kind: Kind) -> NDArray[np.float64]:
        """The share of the states of a kind in each part, shape (parts,)."""
        shares: NDArray[np.float64] = self.states[:, list(CODES[kind])].sum(axis=1)
        return shares

    @property
    def why(self) -> list[str]:
        """The state in which it is longest in each part."""
        return [words_of(int(state)) for state in self.states.argmax(axis=1)]


@dataclass(frozen=True, eq=False)
class Utilisation:
    """A run in parts: `edges` are their first cycles and the last one's end, shape (parts + 1,); `stages` the
    number, first cycle and end of each stage, or segment, that lies in them; `shares` unit by unit."""

    label: str
    fidelity: str
    clock_hz: float
    done: int
    edges: tuple[int, ...]
    stages: tuple[tuple[int, int, int], ...]
    shares: tuple[Share, ...] = field(repr=False)

    def __getitem__(self, unit: str) -> Share:
        return next(share for share in self.shares if share.unit.name == unit)

    def to_dict(self, digits: int = 4) -> dict[str, Any]:
        """As plain values. Parts that follow each other and are alike are one span: its first cycle, its end,
        the shares busy, stalled and waiting, and the state in which the unit is longest."""
        return {
            "label": self.label,
            "fidelity": self.fidelity,
            "clock_hz": self.clock_hz,
            "first_cycle": self.edges[0],
            "last_cycle": self.edges[-1],
            "done_cycle": self.done,
            "stages": [
                {"number": number, "start_cycle": start, "end_cycle": end}
                for number, start, end in self.stages
            ],
            "units": [
                {"unit": share.unit.name, "group": share.unit.group, "spans": self._spans(share, digits)}
                for share in self.shares
            ],
        }

    def _spans(self, share: Share, digits: int) -> list[list[Any]]:
        shares = np.round(np.stack([share.of(kind) for kind in ("busy", "stalled", "waiting")]), digits)
        spans: list[list[Any]] = []
        for first, last, told, why in zip(
            self.edges[:-1], self.edges[1:], shares.T.tolist(), share.why, strict=True
        ):
            if spans and spans[-1][2:] == [*told, why]:
                spans[-1][1] = last
            else:
                spans.append([first, last, *told, why])
        return spans


def utilisation(
    design: DesignPoint | Mapping,
    fidelity: str = "cycle",
    *,
    parts: int = PARTS,
    first: int = 0,
    last: int | None = None,
) -> Utilisation:
    """How busy each unit of a design point, or of its mapping, is in each of at most `parts` parts of one
    inference, of which one ends with each stage; a run of any length takes no more memory than that. Raises
    as `timeline` does, and TraceError for a number of parts that is not positive."""
    return utilisation_of(run_of(design, fidelity, last), parts, first, last)


def _edges(run: Run, parts: int, first: int, last: int) -> NDArray[np.int64]:
    """Where parts begin, and the last one ends: about equal ones, and where stages end if there are fewer of
    those than half of the parts."""
    ends = [stage.end_cycle for stage in run.counts.stages if first < stage.end_cycle < last]
    ends = ends if 2 * len(ends) < parts else []
    even = np.linspace(first, last, parts - len(ends) + 1).round().astype(np.int64)
    edges: NDArray[np.int64] = np.union1d(even, np.array(ends, dtype=np.int64))
    return edges


def utilisation_of(run: Run, parts: int = PARTS, first: int = 0, last: int | None = None) -> Utilisation:
    """The same of a run."""
    if isinstance(parts, bool) or not isinstance(parts, int) or parts < 1:
        raise TraceError(f"parts is {parts!r}, allowed are whole numbers from 1 on")
    first, last = window_of(run.cycles, first, last)
    edges = _edges(run, parts, first, last)
    count, states = len(edges) - 1, len(State)
    cycles: defaultdict[Unit, NDArray[np.float64]] = defaultdict(lambda: np.zeros((count, states)))
    for begins, rows in run.blocks(first, last):
        length = len(next(iter(rows.values())))
        part = np.searchsorted(edges, np.arange(begins, begins + length), side="right") - 1
        for unit, row in rows.items():
            if unit.holds == "state":
                cycles[unit] += np.bincount(part * states + row, minlength=count * states).reshape(
                    count, states
                )
            elif unit.holds == "words":
                busy = np.bincount(part, weights=row / unit.of, minlength=count)
                cycles[unit][:, State.BUSY] += busy
                cycles[unit][:, State.IDLE] += np.bincount(part, minlength=count) - busy
    lengths = np.diff(edges)[:, None]
    shares = [Share(unit, spent / lengths) for unit, spent in cycles.items()]
    pes = [share.states for share in shares if share.unit.group == "PEs"]
    at = next(number for number, share in enumerate(shares) if share.unit.group == "PEs")
    shares.insert(at, Share(ALL_PES, np.mean(pes, axis=0)))
    stages = [(s.number, s.start_cycle, s.end_cycle) for s in run.counts.stages]
    return Utilisation(
        run.label,
        run.fidelity,
        run.clock_hz,
        run.counts.cycles,
        tuple(edges.tolist()),
        tuple(stage for stage in stages if stage[1] < last and stage[2] > first),
        tuple(shares),
    )
