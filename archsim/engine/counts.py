"""Counts: what a fidelity yields. Cycles, products, and words through every memory port; no costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

from workloads.refusal import Defect


@dataclass(frozen=True)
class Traffic:
    """Words read and written at one kind of memory during one inference, and the bits of a word."""

    words_read: int
    words_written: int
    word_bits: int

    @property
    def bits_read(self) -> int:
        return self.words_read * self.word_bits

    @property
    def bits_written(self) -> int:
        return self.words_written * self.word_bits


@dataclass(frozen=True)
class StageActivity:
    """One stage on the time line: cycles counted from `start`. Where an engine trains, errors go `backward`
    through it in a pass of its own."""

    number: int
    start_cycle: int
    end_cycle: int
    macs: int
    stall_cycles: int = 0
    backward: bool = field(default=False, kw_only=True)

    @property
    def name(self) -> str:
        """Its number, and that it is passed backward."""
        return f"{self.number}{' backward' * self.backward}"


_OF_STAGE = ("start_cycle", "end_cycle", "macs", "stall_cycles")


def _of_memory(role: str, name: str) -> Callable[[Counts], int]:
    """A figure of the memories of a role."""
    return lambda run: int(getattr(run.traffic[role], name))


def _of_stage(number: int, name: str) -> Callable[[Counts], int]:
    """A figure of a stage of a run."""
    return lambda run: int(getattr(run.stages[number], name))


@dataclass(frozen=True)
class Counts:
    """What happens in one inference, from the cycle of `start` to the first cycle of `done`.

    `load_cycles` is what it takes to load its inputs, `interval_cycles` what lies between the starts of two
    inferences that follow each other as fast as they can: loading overlaps with running where the inputs
    have a memory of their own. `macs` are multiply-accumulates of stored weights; `padding` those of zeros
    that an index encoding put between them, or a stencil, `biases` those that bring a bias; `beside` how many
    of all products a PE that trains makes in a cycle beside another one; `stalls` PE-cycles lost to bank or
    bus conflicts, or what its engine calls so. The traffic includes the loading of
    inputs, not that of weights. `exact` says that the hardware takes just these cycles whatever the inputs
    are; where it does not, these are of stated inputs, and no others take less than `least` or more than
    `most`.
    """

    cycles: int
    load_cycles: int
    interval_cycles: int
    macs: int
    traffic: Mapping[str, Traffic]
    padding: int = 0
    biases: int = 0
    beside: int = 0
    stalls: int = 0
    exact: bool = True
    stages: tuple[StageActivity, ...] = field(default=(), compare=False)
    least: Counts | None = field(default=None, compare=False, repr=False)
    most: Counts | None = field(default=None, compare=False, repr=False)

    @property
    def bounds(self) -> Mapping[str, tuple[int, int]]:
        """Between which figures cycles and products lie whatever the inputs are; none where all are exact."""
        if self.least is None or self.most is None:
            return {}
        names = ("cycles", "interval_cycles", "products")
        return {name: (getattr(self.least, name), getattr(self.most, name)) for name in names}

    def between(self, least: Counts, most: Counts) -> Counts:
        """The same with its bounds."""
        return replace(self, least=least, most=most)

    @classmethod
    def mean(cls, runs: Sequence[Counts], *, least: Counts, most: Counts) -> Counts:
        """The mean of several inferences, each figure rounded, with its bounds. A half is rounded up, so that
        an interval that is cycles and loading in each run is so in the mean: to even it might be one more."""

        def mean(of_run: Callable[[Counts], int]) -> int:
            return (2 * sum(map(of_run, runs)) + len(runs)) // (2 * len(runs))

        names = ("cycles", "load_cycles", "interval_cycles", "macs", "padding", "biases", "beside", "stalls")
        means: dict[str, Any] = {name: mean(attrgetter(name)) for name in names}
        traffic = {
            role: Traffic(
                mean(_of_memory(role, "words_read")), mean(_of_memory(role, "words_written")), words.word_bits
            )
            for role, words in runs[0].traffic.items()
        }
        stages = tuple(
            StageActivity(number, *(mean(_of_stage(number, name)) for name in _OF_STAGE))
            for number in range(len(runs[0].stages))
        )
        return replace(runs[0], **means, traffic=traffic, stages=stages, least=least, most=most)

    def __repr__(self) -> str:
        return f"<Counts: {self.cycles:,} cycles, {self.products:,} products, {len(self.traffic)} memories>"

    @property
    def products(self) -> int:
        """What PEs multiply: stored weights, padding and biases."""
        return self.macs + self.padding + self.biases

    @property
    def pe_cycles(self) -> int:
        """The cycles in which each PE multiplies, those of all together."""
        return self.products - self.beside

    def __post_init__(self) -> None:
        names = ("cycles", "load_cycles", "interval_cycles", "macs", "padding", "biases", "beside", "stalls")
        numbers = {name: getattr(self, name) for name in names}
        for role, t in self.traffic.items():
            numbers |= {f"traffic.{role}.read": t.words_read, f"traffic.{role}.written": t.words_written}
        for name, value in numbers.items():
            if value < 0:
                raise Defect(f"{name} came out as {value}, counts are never negative")
