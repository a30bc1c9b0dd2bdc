"""Training on chip as its specification says it, slowly: whole matrices, and shift registers bit by bit.

The forward pass is that of an `IntegerNetwork`.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from workloads import BlockStage, IntegerNetwork, IntegerStage, Topology
from workloads.training.onchip.arithmetic import Scales
from workloads.training.onchip.trainer import relus
from workloads.training.schema import OnChipRecipe


class Register:
    """A shift register of random bits, oldest first."""

    def __init__(self, start: int) -> None:
        self.bits = [start >> i & 1 for i in range(31)]

    def word(self) -> int:
        """The next 24 bits, the first of them the lowest."""
        fresh = []
        for _ in range(24):
            fresh.append(self.bits[0] ^ self.bits[3])
            self.bits = [*self.bits[1:], fresh[-1]]
        return sum(bit << i for i, bit in enumerate(fresh))

    @property
    def value(self) -> int:
        return sum(bit << i for i, bit in enumerate(self.bits))


def rounded(values: Any, shift: int) -> Any:
    return (values + ((1 << shift) >> 1)) >> shift


def even(values: Any, shift: int) -> Any:
    """Halves away from zero."""
    return np.sign(values) * rounded(np.abs(values), shift)


def cut(values: Any, bits: int) -> tuple[Any, int]:
    """Values of so many bits, and how many were beyond."""
    top = 1 << (bits - 1)
    held = np.clip(values, -top, top - 1)
    return held, int(np.count_nonzero(held != values))


class Reference:
    """A topology with words (an array a stage), scales, and a register for each PE."""

    def __init__(
        self, topology: Topology, of: OnChipRecipe, words: list[Any], scales: Scales, registers: list[int]
    ) -> None:
        self.topology, self.of, self.scales = topology, of, scales
        self.words = [array.copy() for array in words]
        self.registers = [Register(start) for start in registers]
        self.counts = np.zeros((len(words), 5), dtype=np.int64)

    def network(self) -> IntegerNetwork:
        stages = zip(self.topology.stages, self.words, self.scales.forward, relus(self.topology), strict=True)
        return IntegerNetwork(
            name="reference",
            stages=tuple(IntegerStage(s, w >> self.of.dropped, shift, relu) for s, w, shift, relu in stages),
            weight_bits=self.of.read_bits,
            activation_bits=self.of.activation_bits,
            input_fraction_bits=self.scales.inputs,
        )

    def window(self, x: Any, labels: list[int], rate_shift: int) -> None:
        """Steps for inputs x (n_in, n), in order or in walks that take older samples back."""
        stages, late = len(self.words), self.of.overlap == "pipelined"
        seen = [[sample] for sample in x.T]
        for walk in range(len(labels) + late * stages):
            network = self.network()
            for number in range(stages):
                sample = walk - late * number
                if 0 <= sample < len(labels):
                    seen[sample].append(self._forward(network.stages[number], number, seen[sample][-1]))
            sample = walk - late * stages
            if sample >= 0:
                self._back(network, seen[sample], labels[sample], rate_shift)
            else:
                for number in reversed(range(stages)):
                    stage = self.topology.stages[number]
                    self._update(number, np.zeros(stage.n_in), np.zeros(stage.n_out), 0)

    def _forward(self, stage: IntegerStage, number: int, before: Any) -> Any:
        bits = self.of.activation_bits
        sums = rounded(stage.accumulate(before[:, None])[:, 0], stage.shift)
        exact = np.maximum(sums, 0) if stage.relu else sums
        held, beyond = cut(exact, bits)
        self.counts[number, :2] += beyond, cut(exact, bits - 1)[1]
        return held

    def _back(self, network: IntegerNetwork, signals: list[Any], label: int, rate_shift: int) -> None:
        bits = self.of.activation_bits
        one, is_label = 1 << self.scales.activations[-1], np.arange(signals[-1].size) == label
        errors = signals[-1] - one * is_label
        if self.of.loss == "margin":
            errors = np.where(is_label, np.minimum(errors, 0), np.maximum(errors + one, 0))
        dy, beyond = cut(even(errors, max(bits - self.of.error_bits, 0)), self.of.error_bits)
        self.counts[-1, 2] += beyond
        for number in reversed(range(len(self.words))):
            matrix = network.stages[number].stage.csr(network.stages[number].weights).toarray()
            self._update(number, signals[number], dy, self.scales.update(rate_shift)[number])
            if number == 0:
                break
            sums = even(matrix.T @ dy, self.scales.backward[number])
            if network.stages[number - 1].relu:
                sums = np.where(signals[number] > 0, sums, 0)
            dy, beyond = cut(sums, self.of.error_bits)
            self.counts[number - 1, 2:4] += beyond, cut(sums, self.of.error_bits - 1)[1]

    def _update(self, number: int, x: Any, dy: Any, shift: int) -> None:
        stage = self.topology.stages[number]
        ends = [0, *itertools.accumulate(stage.row_lengths().tolist())]
        flat, columns, pes = self.words[number].ravel().tolist(), stage.columns(), self.of.pes
        of_block = stage.block_out if isinstance(stage, BlockStage) else stage.n_out
        groups = [
            range(block + first, block + min(first + pes, of_block))
            for block in range(0, stage.n_out, of_block)
            for first in range(0, of_block, pes)
        ]
        for outputs in groups:
            for tap in range(max(ends[j + 1] - ends[j] for j in outputs)):
                drawn = [register.word() for register in self.registers]
                for j in outputs:
                    place = ends[j] + tap
                    if place >= ends[j + 1]:
                        continue
                    product = int(dy[j]) * int(x[columns[place]])
                    if self.of.rounding == "stochastic":
                        move = (drawn[j % of_block % pes] % (1 << shift) - product) >> shift
                    else:
                        move = int(even(-product, shift))
                    flat[place], beyond = cut(flat[place] + move, self.of.weight_bits)
                    self.counts[number, 4] += beyond
        self.words[number] = np.array(flat, dtype=np.int64).reshape(stage.weight_shape)
