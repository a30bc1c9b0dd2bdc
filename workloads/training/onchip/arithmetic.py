"""The arithmetic of training on chip: a specification that hardware can follow bit for bit.

A number v of f fraction bits stands for v / 2**f. `>>` rounds down; `round(v, s) = (v + (1 << s >> 1)) >> s`
rounds halves up, as an `IntegerNetwork` does; `even(v, s)` rounds halves away from zero, which is the same
but for a sum less by 1 where v is below 0 and s above; `cut(v, b)` takes v to the nearer end of b signed
bits where it is beyond. Sums and products are exact: nothing is rounded but where this says so, the update
once.

Words. A weight w has `weight_bits`, of which `weight_fraction = weight_bits - 1 - integer_bits` are behind
the point, the same in all stages. Forward and backward read its upper `forward_bits`, `v = w >> dropped` with
`dropped = weight_bits - forward_bits` and `weight_fraction - dropped` fraction bits. Signals have
`activation_bits` and `activation_fractions[s]` behind the point, where s is the stage that they come out of,
or the inputs; errors have `error_bits` and `error_fractions[s]`. A sample (x, label) does, for every stage
from the first to the last,

    y[j] = cut(round(sum over taps of v * x[i], forward), activation_bits), negative ones 0 where s has a ReLU
    forward = fraction of v + fraction of x - fraction of y

which is what an `IntegerNetwork` computes. At the end, with one = 1 << activation_fractions[last], nothing
is divided and no exponential is taken:

    squared   e[j] = y[j] - (one if j is the label, else 0)
    margin    e[j] = min(y[j] - one, 0) if j is the label, else max(y[j] + one, 0)
    dy[j] = cut(even(e[j], narrowed), error_bits), narrowed = activation_bits - error_bits, or 0 if less

`margin` is the slope of a squared hinge: a score that is beyond one on its side gives no error, and so none
that was cut off is drawn further out. Then for every stage from the last to the first, each weight is read
once, for both of

    dx[i] += v * dy[j]                                                        in all stages but the first
    w = cut(w + (-dy[j] * x[i] rounded by update), weight_bits)               v and x from before the update
    update = rate_shift + fraction of dy + fraction of x - weight_fraction

and the errors of the stage before are `dx[i] = cut(even(dx[i], backward), error_bits)`, 0 where that stage
has a ReLU and x[i] is not above 0; `backward = fraction of v + fraction of dy - fraction of dx`. The error
meets the activation before anything is rounded, and the rate is a part of the one shift: an error that was
shifted and rounded first would lose all updates below its own last bit.

Rounding of the update. `nearest`: even(-dy[j] * x[i], update). `stochastic`: (r - dy[j] * x[i]) >> update,
where r is the low `update` bits of the random word of PE j modulo `pes`, j counted in its block. Halves that
go up draw all weights up, which costs 0.2 to 0.5 points in an epoch. Each PE has a shift register of 31 bits
after x**31 + x**28 + 1; a tap advances it by 24, which is one exclusive or for each new bit:

    word = (register ^ register >> 3) & 0xFFFFFF
    register = register >> 24 | word << 7

PEs march in step, as engines do: a stage takes its outputs in groups of `pes`, those of each block of a block
stage by themselves, a group as many taps as its longest row, and in every tap the registers of all PEs
advance, whether the PE has a weight there or not. The tap of a weight is its place in its row.

Overlap. With `none` a sample is through before the next one begins. With `pipelined` time goes in walks: of S
stages, stage s takes sample t - s forward in walk t and sample t - S back, both with the weights that it has
before the walk, for a walk goes from the last stage to the first, and errors through all of it. So an update
of stage s, of signals that were kept for S - s walks, is of weights that S - s updates have moved since. A
window of n samples takes n + S walks, so that no sample is on its way when scales move; where a stage has no
sample to take nothing changes, but random registers advance in every walk. In junction pipelining (Dey et
al., JETCAS 2019), where errors rest a walk before every stage, these would be 2 (S - s) - 1.

Scales. After every `WINDOW` samples, and after the last of an epoch, fractions follow what was seen in these
samples, stage by stage from the first, of n numbers each (an output, or an error, that a ReLU made 0 is a
number too). More than n >> TAIL that were cut off lower the fraction by one; at most n >> TAIL + 1 that one
bit more would have cut off raise it. Neither happens where a shift would be no longer one to the right:
forward and backward are at least 0, update is at least 0 at the fastest rate and at most `MOST_UPDATE` at
the slowest. At the start signals reach to
2**REACH_BITS, and scores always do; their errors have the fraction of scores less `narrowed`, which all other
errors have at the start.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workloads.training.schema import OnChipRecipe, RecipeError

WINDOW = 256
"""Samples between two looks at the scales."""
TAIL = 12
"""One number in 2**TAIL may be cut off before a scale makes room."""
REGISTER_BITS, SECOND_TAP, LEAP = 31, 3, 24
"""The register of random bits of a PE: its length, how far its second tap is from its first, and by how many
bits a tap of the stage advances it."""
WORD = (1 << LEAP) - 1
"""The bits of a random word."""
MOST_UPDATE = LEAP
"""The most places that a product is shifted by: as many as a random word has bits."""
REACH_BITS = 2
"""At the start numbers reach to 2**REACH_BITS."""
CUT, NEAR, ERRORS_CUT, ERRORS_NEAR, WEIGHTS_CUT = range(COUNTED := 5)
"""What is counted of a stage: outputs cut off, and that one fraction bit more would; its errors alike; and
weights."""


@dataclass(frozen=True)
class Scales:
    """The fraction bits of the outputs and of the errors of every stage; those of the inputs are `inputs`,
    and `rates` are the shifts of the rates, of which the fastest and the slowest count."""

    arithmetic: OnChipRecipe
    inputs: int
    rates: tuple[int, ...]
    activations: tuple[int, ...]
    errors: tuple[int, ...]

    @classmethod
    def at_start(cls, arithmetic: OnChipRecipe, inputs: int, rates: tuple[int, ...], stages: int) -> Scales:
        """The scales before anything was seen."""
        activation = arithmetic.activation_bits - 1 - REACH_BITS
        error = activation - arithmetic.narrowed
        return cls(arithmetic, inputs, rates, (activation,) * stages, (error,) * stages)

    @classmethod
    def checked(
        cls, name: str, arithmetic: OnChipRecipe, inputs: int, rates: tuple[int, ...], stages: int
    ) -> Scales:
        """The scales before anything was seen of a network of this name. Raises RecipeError, which names a
        stage, where inputs, the slowest rate or the fastest do not fit the widths."""
        scales = cls.at_start(arithmetic, inputs, rates, stages)
        forward = scales.forward
        if forward[0] < 0:
            least = inputs - forward[0]
            raise RecipeError.of(
                f"fraction bits of the inputs of stage 0 of {name}", inputs, f"{least} or more"
            )
        largest = arithmetic.activation_bits + arithmetic.error_bits - 1
        most = MOST_UPDATE if arithmetic.rounding == "stochastic" else min(MOST_UPDATE, largest)
        slow, fast, several = max(rates), min(rates), len({*rates}) > 1
        updates = zip(scales.update(slow), scales.update(fast), strict=True)
        for stage, (slowest, fastest) in enumerate(updates):
            place = f"at stage {stage} of {name} with weight_bits {arithmetic.weight_bits}"
            if slowest > most:
                field, allowed = "slowest rate" if several else "rate", 2.0 ** (slowest - most - slow)
                raise RecipeError.of(field, 2.0**-slow, f"{allowed} or more {place}")
            if fastest < 0:
                field, allowed = "fastest rate" if several else "rate", 2.0 ** (fastest - fast)
                raise RecipeError.of(field, 2.0**-fast, f"{allowed} or less {place}")
        return scales

    @property
    def forward(self) -> tuple[int, ...]:
        """By how much the sums of every stage are shifted right."""
        pairs = itertools.pairwise((self.inputs, *self.activations))
        return tuple(self.arithmetic.forward_fraction + before - after for before, after in pairs)

    @property
    def backward(self) -> tuple[int, ...]:
        """By how much the sums of the errors before every stage are shifted right; 0 before the first."""
        pairs = itertools.pairwise(self.errors)
        return (0, *(self.arithmetic.forward_fraction + after - before for before, after in pairs))

    def update(self, rate_shift: int) -> tuple[int, ...]:
        """By how much the products of errors and signals are shifted right at this rate."""
        read = (self.inputs, *self.activations[:-1])
        less = rate_shift - self.arithmetic.weight_fraction
        return tuple(less + error + signal for error, signal in zip(self.errors, read, strict=True))

    @property
    def are_held(self) -> bool:
        """Whether every shift is one."""
        return (
            min(self.forward) >= 0
            and min(self.backward) >= 0
            and min(self.update(min(self.rates))) >= 0
            and max(self.update(max(self.rates))) <= MOST_UPDATE
        )

    def _moved(self, stage: int, activation: int, error: int) -> Scales:
        """These with other fractions at a stage, or these where they cannot be."""
        activations, errors = list(self.activations), list(self.errors)
        activations[stage] += activation
        errors[stage] += error
        moved = replace(self, activations=tuple(activations), errors=tuple(errors))
        return moved if moved.are_held else self

    def after(self, counts: NDArray[np.int64], numbers: Sequence[int]) -> Scales:
        """The scales after a window with these counts (stages, 5), of so many numbers in every stage."""
        scales = self
        for stage, number in enumerate(numbers[:-1]):
            seen = counts[stage].tolist()
            scales = scales._moved(stage, _step(seen[CUT], seen[NEAR], number), 0)
            scales = scales._moved(stage, 0, _step(seen[ERRORS_CUT], seen[ERRORS_NEAR], number))
        return scales


def _step(cut: int, near: int, number: int) -> int:
    if cut > number >> TAIL:
        return -1
    return int(near <= number >> TAIL + 1)
