"""The words of a network while it is trained on chip, and what a window of samples makes of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workloads.stages import BlockStage, Stage
from workloads.topology.integer import IntegerNetwork, IntegerStage
from workloads.topology.ranges import IMAGES
from workloads.topology.topology import Topology
from workloads.training.onchip.arithmetic import COUNTED, Scales
from workloads.training.schema import OnChipRecipe


@dataclass(frozen=True, eq=False)
class Wiring:
    """All stages of a topology one after another, as compiled loops walk them: row r of them all has the
    weights `ends[r]` to `ends[r + 1]`, each of which reads the signal of its `columns`; a stage begins at its
    entry of `rows`, reads the signals from its entry of `firsts` on, and is of blocks of so many outputs as
    its entry of `spans`, all where it has no blocks."""

    columns: NDArray[np.uint32]
    ends: NDArray[np.int64]
    rows: NDArray[np.int64]
    firsts: NDArray[np.int64]
    spans: NDArray[np.int64]
    relu: NDArray[np.bool_]

    @classmethod
    def of(cls, topology: Topology) -> Wiring:
        """The wiring of a topology without skips."""
        stages = topology.stages
        rows = np.concatenate(([0], np.cumsum([stage.n_out for stage in stages])))
        firsts = np.concatenate(([0], topology.n_in + rows[:-1]))
        columns = [stage.columns() + first for stage, first in zip(stages, firsts, strict=False)]
        lengths = np.concatenate([stage.row_lengths() for stage in stages])
        return cls(
            columns=np.concatenate(columns).astype(np.uint32),
            ends=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            rows=rows.astype(np.int64),
            firsts=firsts.astype(np.int64),
            spans=np.array([span(stage) for stage in stages], dtype=np.int64),
            relu=np.array(relus(topology)),
        )


def span(stage: Stage) -> int:
    """Outputs that are dealt to PEs from the first one on: those of a block, or of the whole stage."""
    return stage.block_out if isinstance(stage, BlockStage) else stage.n_out


def relus(topology: Topology) -> list[bool]:
    """For every stage whether a ReLU follows: where a layer ends, but after the last."""
    return [*topology.ends_layer[:-1], False]


@dataclass(eq=False)
class Words:
    """All that training on chip changes: the stored weights (a flat array of all stages), the scales, the
    shift register of every PE, and how often what was cut off since the start (stages, 5)."""

    weights: NDArray[np.int32]
    scales: Scales
    registers: NDArray[np.int64]
    counts: NDArray[np.int64] = field(repr=False)


class Trainer:
    """A topology that is trained on chip, from `words` on."""

    def __init__(self, topology: Topology, arithmetic: OnChipRecipe, words: Words) -> None:
        self.topology, self.arithmetic, self.words = topology, arithmetic, words
        self.wiring = Wiring.of(topology)

    def window(self, x: NDArray[np.int64], labels: NDArray[np.int64], rate_shift: int) -> float:
        """Trains on samples x (n_in, n) in the order of the first stage, of labels (n,), one after another at
        a rate of 2**-rate_shift, then moves the scales. Returns the mean squared error of the scores."""
        from workloads.training.onchip.compiled import train

        words, wiring, arithmetic = self.words, self.wiring, self.arithmetic
        scales = words.scales
        counts = np.zeros((len(wiring.relu), COUNTED), dtype=np.int64)
        one = 1 << scales.activations[-1]
        widths = (arithmetic.weight_bits, arithmetic.activation_bits, arithmetic.error_bits)
        squares = train(
            np.ascontiguousarray(x.T),
            labels,
            words.weights,
            wiring.columns,
            wiring.ends,
            wiring.rows,
            wiring.firsts,
            wiring.spans,
            wiring.relu,
            np.array([scales.forward, scales.backward, scales.update(rate_shift)]),
            arithmetic.dropped,
            np.array([1 << (bits - 1) for bits in widths]),
            one,
            arithmetic.narrowed,
            arithmetic.loss == "margin",
            arithmetic.rounding == "stochastic",
            arithmetic.in_flight(len(wiring.relu)),
            words.registers,
            counts,
        )
        words.counts += counts
        words.scales = scales.after(counts, (np.diff(wiring.rows) * labels.size).tolist())
        return float(squares) / (one * one * labels.size)

    @property
    def of_stages(self) -> list[NDArray[np.int64]]:
        """The stored words, an array a stage."""
        return split(self.words.weights, self.topology.stages)

    def network(self, name: str, input_range: tuple[float, float] = IMAGES) -> IntegerNetwork:
        """The integer network that the forward pass is, of inputs of this range."""
        arithmetic, scales = self.arithmetic, self.words.scales
        stages = [
            IntegerStage(stage, weights >> arithmetic.dropped, shift, relu)
            for stage, weights, shift, relu in zip(
                self.topology.stages, self.of_stages, scales.forward, relus(self.topology), strict=True
            )
        ]
        return IntegerNetwork(
            name=name,
            stages=tuple(stages),
            weight_bits=arithmetic.read_bits,
            activation_bits=arithmetic.activation_bits,
            input_fraction_bits=scales.inputs,
            input_order=self.topology.input_places,
            input_range=input_range,
        )


def split(flat: NDArray[np.int32], stages: Sequence[Stage]) -> list[NDArray[np.int64]]:
    """An array a stage of the words of all."""
    ends = [0, *itertools.accumulate(stage.stored_weights for stage in stages)]
    return [
        flat[start:stop].reshape(stage.weight_shape).astype(np.int64)
        for stage, (start, stop) in zip(stages, itertools.pairwise(ends), strict=True)
    ]
