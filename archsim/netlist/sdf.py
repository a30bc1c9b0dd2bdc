"""Reads the delays of a placed and routed design from an SDF file, and times its paths, clock to clock."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from workloads.refusal import Refusal

_INSTANCE = re.compile(r"\(INSTANCE (.*)\)$")
_CELLTYPE = re.compile(r'\(CELLTYPE "(.*)"\)$')
_DELAY = re.compile(r"\((INTERCONNECT|IOPATH) (\S+) (\S+) \(([-\d.:]*)\) \(([-\d.:]*)\)\)$")
_CHECK = re.compile(
    r"\(SETUPHOLD \((?:pos|neg)edge (\S+)\) \((?:pos|neg)edge (\S+)\) \(([-\d.:]*)\) \([-\d.:]*\)\)$"
)
_TIMESCALE = re.compile(r"\(TIMESCALE 1 ?ps\)$")


class SdfError(Refusal):
    """A file is no SDF file as nextpnr writes it, or its paths run in circles."""


@dataclass(frozen=True, kw_only=True)
class Sdf:
    """The delays of a design in picoseconds, slowest corner. A pin is `instance/port`.

    `wires` are the nets from pin to pin, `arcs` the ways through cells by the pin that they start at, and
    `checks` the pins that a clock samples: pin, clock pin, setup. `types` names each instance's cell.
    """

    types: Mapping[str, str]
    wires: Sequence[tuple[str, str, float]]
    arcs: Mapping[str, Sequence[tuple[str, float]]]
    checks: Sequence[tuple[str, str, float]]

    @cached_property
    def clock_pins(self) -> frozenset[str]:
        """Every pin on the nets that clock something."""
        drivers = {sink: source for source, sink, _ in self.wires}
        clocks = {drivers.get(clock) for _, clock, _ in self.checks}
        named = {clock for _, clock, _ in self.checks}
        return frozenset(named | {sink for source, sink, _ in self.wires if source in clocks})

    def longest_path_ps(
        self, *, net_ps: float | None = None, from_cells: frozenset[str] | None = None
    ) -> float:
        """The longest path from a clocked cell to a clocked cell, in ps: from the clock's edge through cells
        and nets to the setup of the next.

        With `net_ps` every net that takes any time takes so long; zero leaves the longest path of logic
        alone, which may be another one. With `from_cells` only paths count that start in cells of these
        types. Zero where there is no path. Raises SdfError where paths run in circles.
        """
        edges: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        waiting: defaultdict[str, int] = defaultdict(int)
        arrival: dict[str, float] = {}
        for source, sink, ps in self.wires:
            if sink not in self.clock_pins:
                edges[source].append((sink, ps if net_ps is None or not ps else net_ps))
                waiting[sink] += 1
        for source, ends in self.arcs.items():
            if source not in self.clock_pins:
                edges[source] += ends
                for sink, _ in ends:
                    waiting[sink] += 1
            elif from_cells is None or self.types[source.rpartition("/")[0]] in from_cells:
                for sink, ps in ends:
                    arrival[sink] = max(arrival.get(sink, 0.0), ps)
        _propagate(edges, waiting, arrival)
        return max((arrival[pin] + ps for pin, _, ps in self.checks if pin in arrival), default=0.0)


def _propagate(
    edges: Mapping[str, Sequence[tuple[str, float]]], waiting: dict[str, int], arrival: dict[str, float]
) -> None:
    """Arrivals at all pins behind those that have one, each once all before it are known."""
    ready = [pin for pin in edges if not waiting.get(pin)]
    seen = 0
    while ready:
        pin = ready.pop()
        at = arrival.get(pin)
        for sink, ps in edges.get(pin, ()):
            seen += 1
            if at is not None and at + ps > arrival.get(sink, -1.0):
                arrival[sink] = at + ps
            waiting[sink] -= 1
            if not waiting[sink]:
                ready.append(sink)
    if seen < sum(map(len, edges.values())):
        raise SdfError("sdf is of a design whose logic runs in a circle, allowed are designs without")


def read_sdf(text: str) -> Sdf:
    """The delays in an SDF file as nextpnr writes it. Raises SdfError for anything else."""
    types: dict[str, str] = {}
    wires: list[tuple[str, str, float]] = []
    arcs: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    checks: dict[tuple[str, str], float] = {}
    cell, instance, scaled = "", "", False
    for line in map(str.strip, text.splitlines()):
        if told := _DELAY.match(line):
            source, sink, ps = told[2], told[3], max(_slowest(told[4]), _slowest(told[5]))
            if told[1] == "INTERCONNECT":
                wires.append((source, sink, ps))
            else:
                arcs[f"{instance}/{source}"].append((f"{instance}/{sink}", ps))
        elif told := _CHECK.match(line):
            pins = f"{instance}/{told[1]}", f"{instance}/{told[2]}"
            checks[pins] = max(checks.get(pins, 0.0), _slowest(told[3]))
        elif told := _CELLTYPE.match(line):
            cell = told[1]
        elif told := _INSTANCE.match(line):
            instance = told[1].strip()
            types[instance] = cell
        elif _TIMESCALE.match(line):
            scaled = True
    if not scaled:
        raise SdfError("sdf is no text in picoseconds, allowed is the file that nextpnr writes with --sdf")
    return Sdf(types=types, wires=wires, arcs=arcs, checks=[(*pins, ps) for pins, ps in checks.items()])


def _slowest(triple: str) -> float:
    """The last of minimum, typical and maximum; nothing stands for no delay."""
    last = triple.rpartition(":")[2]
    return float(last) if last else 0.0
