"""Runs a described engine in PyRTL's simulators: loads, starts, counts, and reads the scores."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyrtl
from numpy.typing import NDArray

from rtl.parts.skeleton import LOAD_TARGETS, Hardware

_COMPILE_FROM = 20_000
"""Compiling pays from about this many cycles on, whatever the size; below, the interpreter starts faster."""


_WITHOUT_MMX = """#if defined(__x86_64__)
#pragma GCC target("no-mmx")
#endif"""

_CHUNK = 4096
"""Cycles whose values are held at a time where they are watched."""


class _Compiled(pyrtl.CompiledSimulation):  # type: ignore[misc]
    """PyRTL's compiled simulator, without MMX: short of registers, GCC 12 keeps integers in those and leaves
    them occupied, and floats that the x87 unit divides afterwards, such as numpy's `//`, are nan."""

    def _create_code(self, write: Callable[[str], object]) -> None:
        write(_WITHOUT_MMX)
        super()._create_code(write)


@dataclass(frozen=True)
class Images:
    """The contents of the loaded memories: descriptor words, and for each PE its weight (and index) words;
    where cascades move over maps, the table of channels, and for each lane the words of segments; for each PE
    the words of its codebook, where weights are numbers in one."""

    descriptors: Sequence[int]
    weights: Sequence[Sequence[int]]
    indices: Sequence[Sequence[int]] = ()
    channels: Sequence[int] = ()
    segments: Sequence[Sequence[int]] = ()
    codebooks: Sequence[Sequence[int]] = ()

    @property
    def by_target(self) -> dict[str, Sequence[Sequence[int]]]:
        """The words of the memories of each load target."""
        return {
            "descriptor": [self.descriptors],
            "weight": self.weights,
            "index": self.indices,
            "channel": [self.channels],
            "segment": self.segments,
            "codebook": self.codebooks,
        }


@dataclass(frozen=True)
class LoadWrite:
    """One word for the load port."""

    target: str
    unit: int
    address: int
    data: int


@dataclass(frozen=True)
class Run:
    """One inference: `load_cycles` that its inputs take to be loaded, `cycles` from `start` to `done`, and
    from `start` until the load port may write the next inputs; `port_counts` words read and written for each
    memory role; `scores` the results of the final stage, in the order in which each PE gave them; `recorded`
    the values of each recorded wire, from the first cycle of loading to that of `done`."""

    load_cycles: int
    cycles: int
    inputs_free_after: int
    port_counts: Mapping[str, int]
    scores: tuple[tuple[int, ...], ...]
    recorded: Mapping[str, Sequence[int]] = field(default_factory=dict, repr=False)


class SimulationLimitError(RuntimeError):
    """The engine did not finish within the given number of cycles."""


class Simulation:
    """A loaded engine. Inputs enter through the load port; so does the network where the simulator is
    compiled, else its images are there from the start. `record` names wires to keep the values of."""

    def __init__(
        self, hardware: Hardware, images: Images, *, expected_cycles: int = 0, record: Sequence[str] = ()
    ) -> None:
        self.hardware = hardware
        self._recorded = tuple(record)
        self._idle = dict.fromkeys(
            ("start", "load_enable", "load_target", "load_unit", "load_address", "load_data"), 0
        )
        self._watched = [hardware.done, hardware.input_free, hardware.score_valid, hardware.scores]
        self._watched += hardware.probes.values()
        known = {wire.name for wire in self._watched}
        self._watched += [
            hardware.block.get_wirevector_by_name(name, strict=True) for name in record if name not in known
        ]
        self._tracer = pyrtl.SimulationTrace(self._watched, block=hardware.block)
        if expected_cycles >= _COMPILE_FROM and shutil.which("gcc") is not None:
            self._simulator = _Compiled(tracer=self._tracer, block=hardware.block)
            # As initial values they would take the compiler minutes.
            self._load(load_writes(images))
        else:
            self._simulator = pyrtl.FastSimulation(
                tracer=self._tracer, memory_value_map=_contents(hardware, images), block=hardware.block
            )

    def run(
        self,
        inputs: Iterable[LoadWrite],
        *,
        following: Iterable[LoadWrite] = (),
        limit: int = 50_000_000,
    ) -> Run:
        """Writes `inputs`, starts the engine and waits for `done`, at most `limit` cycles. The inputs
        `following` are written as soon as the engine lets them, for a run without any of its own.

        Raises SimulationLimitError where it does not come.
        """
        self._forget()
        loaded = self._load(inputs)
        self._steps([{**self._idle, "start": 1}, self._idle])
        for signals in [load_signals(self._idle, write) for write in following]:
            while not self._trace(self.hardware.input_free)[-1]:
                self._steps([self._idle])
            self._steps([signals])
        chunk = 256
        while True:
            self._steps([self._idle] * chunk)
            done = self._trace(self.hardware.done)[loaded:]
            if 1 in done[1:]:
                break
            if len(done) > limit:
                raise SimulationLimitError(f"the engine has not finished after {limit} cycles")
            chunk = min(2 * chunk, 65_536)
        cycles = done.index(1, 1)
        counts = {
            name: sum(enables.bit_count() for enables in self._trace(probe)[: loaded + cycles])
            for name, probe in self.hardware.probes.items()
        }
        free_after = self._trace(self.hardware.input_free).index(1, loaded + 1) - loaded
        recorded = {name: self._tracer.trace[name][: loaded + cycles + 1] for name in self._recorded}
        return Run(loaded, cycles, free_after, counts, self._scores(loaded + cycles), recorded)

    def watched(
        self, inputs: Iterable[LoadWrite], following: Iterable[LoadWrite], *, loads_from: int, cycles: int
    ) -> Iterator[Mapping[str, Sequence[int]]]:
        """Writes `inputs`, starts the engine, and yields the values of the recorded wires, from the cycle of
        `start` on and as many as `cycles`, some at a time. From cycle `loads_from` on the inputs `following`
        are written."""
        self._load(inputs)
        self._forget()
        waiting = iter([load_signals(self._idle, write) for write in following])
        for first in range(0, cycles, _CHUNK):
            for cycle in range(first, min(first + _CHUNK, cycles)):
                signals = next(waiting, self._idle) if cycle >= loads_from else self._idle
                self._steps([{**signals, "start": int(cycle == 0)}])
            yield {name: list(self._tracer.trace[name]) for name in self._recorded}
            self._forget()

    def contents(self, role: str) -> NDArray[np.int64]:
        """The words that lie in the memories of a role now, without sign, shape (units, words)."""
        memories = [memory for memory in self.hardware.memories if memory.role == role]
        words = np.zeros((len(memories), memories[0].words), dtype=np.int64)
        for memory in memories:
            held = self._simulator.inspect_mem(memory.block)
            words[memory.unit] = [held.get(address, 0) for address in range(memory.words)]
        return words

    def _load(self, writes: Iterable[LoadWrite]) -> int:
        signals = [load_signals(self._idle, write) for write in writes]
        self._steps(signals)
        return len(signals)

    def _scores(self, cycles: int) -> tuple[tuple[int, ...], ...]:
        sizes = self.hardware.sizes
        valid, packed = self._trace(self.hardware.score_valid), self._trace(self.hardware.scores)
        scores: list[list[int]] = [[] for _ in range(sizes.pes)]
        for cycle in range(cycles + 1):
            mask = valid[cycle]
            while mask:
                p = (mask & -mask).bit_length() - 1
                scores[p].append(lane_value(packed[cycle], p, sizes.activation_bits))
                mask &= mask - 1
        return tuple(tuple(lane) for lane in scores)

    def _steps(self, inputs: Sequence[Mapping[str, int]]) -> None:
        # One step a call: CompiledSimulation.run of PyRTL 1.0.3 traces the first step of a longer call only.
        for signals in inputs:
            self._simulator.step(signals)

    def _trace(self, wire: Any) -> list[int]:
        values: list[int] = self._tracer.trace[wire.name]
        return values

    def _forget(self) -> None:
        """Drops what was traced, so that the trace holds one inference."""
        for wire in self._watched:
            del self._tracer.trace[wire.name][:]


def _contents(hardware: Hardware, images: Images) -> dict[Any, dict[int, int]]:
    """The images as PyRTL takes them: memory to address to word."""
    words = images.by_target
    return {
        memory.block: dict(enumerate(map(int, words[memory.role][memory.unit])))
        for memory in hardware.memories
        if memory.role in words
    }


def load_writes(images: Images) -> list[LoadWrite]:
    """All memory images as writes of the load port."""
    return [
        LoadWrite(target, unit, i, word)
        for target, memories in images.by_target.items()
        for unit, words in enumerate(memories)
        for i, word in enumerate(words)
    ]


def load_signals(idle: Mapping[str, int], write: LoadWrite) -> dict[str, int]:
    """The input pins while `write` goes through the load port."""
    return {
        **idle,
        "load_enable": 1,
        "load_target": LOAD_TARGETS.index(write.target),
        "load_unit": write.unit,
        "load_address": write.address,
        "load_data": write.data,
    }


def lane_value(packed: int, lane: int, bits: int) -> int:
    """The signed value of one lane of packed results."""
    raw = packed >> lane * bits & (1 << bits) - 1
    return raw - (1 << bits) if raw >> bits - 1 else raw
