"""How a network lies on an engine that trains, and a step of that engine at register-transfer level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyrtl
from numpy.typing import NDArray

from archsim.engine.mapping import MappingError
from rtl.engines.training.arithmetic import SHIFT_BITS
from rtl.engines.training.machine import TARGETS, TrainingHardware, build_training
from rtl.engines.training.sizes import TrainedStage, TrainingSizes
from workloads import BlockStage, DenseStage, Stage, Topology
from workloads.training.onchip.arithmetic import Scales
from workloads.training.onchip.trainer import relus
from workloads.training.schema import OnChipRecipe


def _trained(number: int, stage: Stage, relu: bool) -> TrainedStage:
    if isinstance(stage, DenseStage):
        return TrainedStage(1, stage.n_in, stage.n_out, relu)
    if isinstance(stage, BlockStage):
        return TrainedStage(stage.blocks, stage.block_in, stage.block_out, relu)
    raise MappingError.of(f"stage {number}", stage.kind, "block and dense stages on an engine that trains")


@dataclass(frozen=True, eq=False)
class TrainingMapping:
    """A topology on an engine of `arithmetic.pes` PEs that trains it. `registers` are what the random
    registers of the PEs start from. Raises MappingError for stages that it cannot run."""

    topology: Topology
    arithmetic: OnChipRecipe
    registers: tuple[int, ...] = ()

    @cached_property
    def sizes(self) -> TrainingSizes:
        """The sizes of the hardware."""
        widths = self.arithmetic
        stages = zip(self.topology.stages, relus(self.topology), strict=True)
        try:
            return TrainingSizes(
                pes=widths.pes,
                weight_bits=widths.weight_bits,
                read_bits=widths.read_bits,
                activation_bits=widths.activation_bits,
                error_bits=widths.error_bits,
                one=1 << Scales.at_start(widths, 0, 0, 1).activations[0],
                margin=widths.loss == "margin",
                stages=tuple(_trained(number, *each) for number, each in enumerate(stages)),
                registers=self.registers if widths.rounding == "stochastic" else (),
            )
        except ValueError as error:
            raise MappingError(str(error)) from error

    @property
    def cycles(self) -> int:
        """Cycles of a step."""
        return self.sizes.cycles

    def weight_words(self, of_stages: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """The words of every PE (pes, words), from the weights of every stage."""
        sizes = self.sizes
        words = np.zeros((sizes.pes, sizes.weight_bases[-1]), dtype=np.int64)
        for places, weights in zip(self._places, of_stages, strict=True):
            words[places] = weights.reshape(places[0].shape)
        return words

    def weights_of(self, words: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The weights of every stage, from the words of every PE."""
        shapes = [stage.weight_shape for stage in self.topology.stages]
        return [words[places].reshape(shape) for places, shape in zip(self._places, shapes, strict=True)]

    @cached_property
    def _places(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """For every stage the PE and the address of the weights of its rows, (n_out, taps) each."""
        places, pes = [], self.sizes.pes
        for stage, base in zip(self.sizes.stages, self.sizes.weight_bases, strict=False):
            block, of_block = np.divmod(np.arange(stage.outputs)[:, None], stage.block_out)
            group, pe = np.divmod(of_block, pes)
            group += block * -(-stage.block_out // pes)
            tap = np.arange(stage.block_in)
            places.append((pe + 0 * tap, base + group * stage.block_in + tap))
        return places


def shift_words(scales: Scales, rate_shift: int) -> list[int]:
    """The words of shifts that the engine is given for every stage: forward, of the errors of its outputs,
    and of its update. Raises MappingError for an update that is no shift to the right."""
    words = []
    passed_on = (*scales.backward[1:], 0)
    for stage, update in enumerate(scales.update(rate_shift)):
        if not 0 <= update < 1 << SHIFT_BITS:
            raise MappingError.of(f"update of stage {stage}", update, f"0 to {(1 << SHIFT_BITS) - 1}")
        shifts = (scales.forward[stage], passed_on[stage], update)
        words.append(sum(shift << SHIFT_BITS * place for place, shift in enumerate(shifts)))
    return words


class TrainingEngine:
    """The hardware of a mapping in PyRTL's simulator, with weights (an array a stage) and scales."""

    def __init__(self, mapping: TrainingMapping, of_stages: Sequence[NDArray[np.int64]]) -> None:
        self.mapping = mapping
        self.hardware: TrainingHardware = build_training(mapping.sizes)
        mask = (1 << mapping.sizes.weight_bits) - 1
        words = mapping.weight_words(of_stages) & mask
        contents = {
            memory.block: dict(enumerate(words[memory.unit].tolist()))
            for memory in self.hardware.memories
            if memory.role == "weight"
        }
        self.simulation: Any = pyrtl.FastSimulation(
            tracer=None, memory_value_map=contents, block=self.hardware.block
        )

    def _load(self, target: str, unit: int, address: int, value: int, bits: int) -> None:
        given = {"load_target": TARGETS.index(target), "load_unit": unit, "load_address": address}
        self._cycle({"load_enable": 1, "load_data": value & ((1 << bits) - 1), **given})

    def _cycle(self, given: dict[str, int]) -> int:
        load = ("load_enable", "load_target", "load_unit", "load_address", "load_data")
        names = ("start", "label", "unload", *load)
        self.simulation.step(dict.fromkeys(names, 0) | given)
        return int(self.simulation.inspect("done"))

    def step(self, x: NDArray[np.int64], label: int, scales: Scales, rate_shift: int) -> int:
        """Trains on integer inputs x (n_in,) of a label, and returns the cycles from the start to the end of
        the step. Raises MappingError for an update that is no shift to the right."""
        sizes = self.mapping.sizes
        for stage, word in enumerate(shift_words(scales, rate_shift)):
            self._load("scale", 0, stage, word, 3 * SHIFT_BITS)
        for place, value in enumerate(x.tolist()):
            self._load("input", place % sizes.pes, place // sizes.pes, value, sizes.activation_bits)
        cycles, given = 0, {"label": label}
        self._cycle({"start": 1, **given})
        while not self._cycle(given):
            cycles += 1
        return cycles

    @property
    def weights(self) -> list[NDArray[np.int64]]:
        """The weights of every stage as they lie in the memories."""
        sizes = self.mapping.sizes
        words = np.zeros((sizes.pes, sizes.weight_bases[-1]), dtype=np.int64)
        for memory in self.hardware.memories:
            if memory.role == "weight":
                for address, word in self.simulation.inspect_mem(memory.block).items():
                    words[memory.unit, address] = word
        sign = 1 << (sizes.weight_bits - 1)
        return self.mapping.weights_of((words ^ sign) - sign)
