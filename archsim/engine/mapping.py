"""Mapping: how a network lies on an engine. Memory words, placement of inputs, order of scores."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from archsim.engine.biases import BiasRows, bias_rows
from archsim.engine.counts import Counts, StageActivity, Traffic
from archsim.engine.recording import Recording, record_engine
from archsim.engine.watch import Watch
from rtl import Hardware, Images, LoadWrite, Run, Simulation, Sizes
from workloads import AnyIntegerNetwork
from workloads.refusal import Refusal

_LOG = logging.getLogger(__name__)
S = TypeVar("S", bound=Sizes)
ROLES = (
    *("weight", "index", "codebook", "input", "activation_0", "activation_1", "descriptor"),
    *("image", "map_0", "map_1", "channel", "segment", "signal", "sum_0", "sum_1"),
)
"""What memories hold, in the order in which their traffic is listed."""


class MappingError(Refusal):
    """A network does not go onto an engine; the message names what and what would be allowed."""


def sized(hardware: type[S], **sizes: Any) -> S:
    """The sizes of this hardware; what it does not support is a MappingError."""
    try:
        return hardware(**sizes)
    except ValueError as error:
        raise MappingError(str(error)) from error


@dataclass(frozen=True)
class StoredBits:
    """Bits that the engine's memories must hold for the network: weights, and the indices beside them, with
    how these are written."""

    weight: int
    index: int
    encoding: str | None = None

    @property
    def total(self) -> int:
        return self.weight + self.index


@dataclass(frozen=True, eq=False)
class WayBack:
    """What an engine that trains multiplies on the way back of an input, tap after tap from the first stage
    on: the `products` of weights and errors and the `slopes` of errors and signals, of so many bits each. A
    step makes so many `passes` over the weights: one where another input goes forward in the same."""

    products: NDArray[np.int64]
    slopes: NDArray[np.int64]
    product_bits: int
    slope_bits: int
    passes: int


class Mapping(ABC):
    """A network on an engine. The counts come from the schedule; images are packed when first asked for."""

    network: AnyIntegerNetwork
    engine: Any
    """The settled engine."""

    @cached_property
    def biases(self) -> tuple[BiasRows, ...]:
        """The biases of each stage, as words of its weight stream."""
        network = self.network
        return tuple(
            bias_rows(stage, network.weight_bits, network.activation_bits) for stage in network.stages
        )

    @property
    @abstractmethod
    def sizes(self) -> Sizes:
        """The sizes of the hardware that this mapping needs."""

    @property
    def accumulator_bits(self) -> int:
        """What cannot overflow, and at least a whole product, for rows that keep no weight at all."""
        network = self.network
        return max(network.accumulator_bits, network.weight_bits + network.activation_bits)

    @property
    @abstractmethod
    def stored_bits(self) -> StoredBits:
        """Bits stored for weights and for indices."""

    @abstractmethod
    def count(self) -> Counts:
        """The closed form (fidelity `analytic`)."""

    def count_of(self, x: NDArray[np.int64]) -> Counts:
        """The counts of one input, shape (n_in, 1), by recurrence where they depend on it."""
        return self.counts

    @cached_property
    def counts(self) -> Counts:
        """The closed form, found once."""
        return self.count()

    def engine_sizes(self, engine: Any, fabric: str) -> dict[str, Any]:
        """The sizes that follow from the parameters of a settled engine and from what it is built of."""
        return {
            "pes": engine.pes,
            "weight_bits": self.network.weight_bits,
            "activation_bits": self.network.activation_bits,
            "accumulator_bits": self.accumulator_bits,
            "fetch_bits": engine.fetch_bits,
            "product_register": engine.product_register,
            "operand_isolation": engine.operand_isolation,
            "zero_gating": engine.zero_gating,
            "one_address": fabric == "asic",
            "bias_words": max(biases.of_row for biases in self.biases),
        }

    def traffic(
        self,
        *,
        read: Sequence[int],
        written: Sequence[int],
        loaded: int,
        copies: int = 1,
        **loaded_memories: int,
    ) -> dict[str, Traffic]:
        """Traffic of the memories of each role with the width of their words: activations `read` and
        `written` by each stage, inputs `loaded`, and the words read of the memories that the load port fills.
        Whatever is written goes to so many `copies`."""
        bits = {shape.role: shape.word_bits for shape in self.sizes.memory_shapes}
        words = {role: [0, 0] for role in bits}
        for role, count in loaded_memories.items():
            words[role][0] = count
        inputs = self.input_memory
        words[inputs][1] += loaded * copies
        for number, (taken, made) in enumerate(zip(read, written, strict=True)):
            source = inputs if number == 0 else f"activation_{number % 2}"
            words[source][0] += taken
            if made:
                words[f"activation_{(number + 1) % 2}"][1] += made * copies
        own = set(words) - {shape.role for shape in self.sizes.sweep_shapes}
        return {role: Traffic(words[role][0], words[role][1], bits[role]) for role in ROLES if role in own}

    def interval(self, stages: Sequence[StageActivity], loaded: int, waited: int = 0) -> int:
        """Cycles between the starts of inferences: inputs are loaded once the first stage has read its own,
        where they have a memory of their own, else when all is done. The first stage has `waited` so long
        for the descriptor of the next one."""
        free = stages[0].end_cycle - waited if self.sizes.input_rows else stages[-1].end_cycle
        return max(stages[-1].end_cycle, free + loaded)

    @abstractmethod
    def simulate(self, x: NDArray[np.int64] | None = None, *, watch: Watch | None = None) -> Counts:
        """The event simulation (fidelity `cycle`). Where the counts depend on the inputs, those of `x`, shape
        (n_in, 1), or of the network's first sample. A `watch` is told what happens in which cycle."""

    def record(self) -> Recording:
        """The event simulation, and what it was seen to do in every cycle. Raises MappingError where nobody
        watches it."""
        watch = self.new_watch()
        return record_engine(watch, self.simulate(watch=watch), [self.input_memory], self.copies)

    def new_watch(self) -> Watch:
        """A watch for the event simulation. Raises MappingError where nobody watches it."""
        if not self.watched:
            raise MappingError(f"engine is {self.sizes.label}, allowed are those whose cycles are watched")
        return Watch(self.sizes.pes)

    @property
    def product_orders(self) -> tuple[NDArray[np.int64], ...] | None:
        """In which order the PEs, one after the other, make the products of each stage, shape (weights,) of
        places in its weights by row; those of activations that are zero are not made. `None`: row by row, and
        all of them."""
        return None

    def way_back(self, x: NDArray[np.int64]) -> WayBack | None:
        """What is multiplied on the way back of an input (n_in,); None where nothing goes back."""
        return None

    def broadcasts(self, counts: Counts) -> int:
        """Of these counts, how many activations were broadcast for PEs to queue; none where none queue."""
        return 0

    @property
    def emptied(self) -> int:
        """The sums that PEs empty one after the other when all products of a stage are made; none where a sum
        leaves with its last product."""
        return 0

    @property
    def watched(self) -> bool:
        """Whether the event simulation tells a watch what happens in which cycle."""
        return True

    @property
    def input_memory(self) -> str:
        """The memory that inputs are loaded into."""
        return "input" if self.sizes.input_rows else "activation_0"

    @property
    def in_flight(self) -> int:
        """How many inputs the engine is given after one before it has done with it."""
        return 0

    @property
    def copies(self) -> int:
        """How many copies there are of the activations."""
        return 1

    @abstractmethod
    def build(self) -> Hardware:
        """The hardware itself (fidelities `rtl` and `gate`)."""

    @property
    @abstractmethod
    def images(self) -> Images:
        """The contents of the loaded memories."""

    @abstractmethod
    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        """The load-port writes that bring in one input vector, shape (n_in,)."""

    def descriptor(self, number: int, **own: int) -> list[int]:
        """The words of a stage's descriptor: the fields that all engines share, and the engine's `own`."""
        stage, biases = self.network.stages[number], self.biases[number]
        if self.sizes.bias_words:
            own |= {"bias_words": biases.of_row, "bias_shift": biases.shift}
        return self.sizes.descriptor_format.pack(
            {
                "final": int(stage is self.network.stages[-1]),
                "relu": int(stage.relu),
                "shift": stage.shift,
                **self.group_fields(number),
                **own,
            }
        )

    def group_fields(self, number: int) -> dict[str, int]:
        """How many groups a stage has, and which PEs have an output in its last one."""
        last_group, last_pe = divmod(self.network.stages[number].stage.n_out - 1, self.sizes.pes)
        return {"groups_less_one": last_group, "valid_less_one": last_pe}

    @cached_property
    def hardware(self) -> Hardware:
        """The built hardware, made once."""
        _LOG.info("describing an engine of %d PEs", self.sizes.pes)
        return self.build()

    def expected(self, x: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[list[NDArray[np.int64]]]]:
        """The outputs (n_out, batch) on inputs (n_in, batch), one after the other, and after each what the
        engine keeps for the next: nothing, but the weights of every stage where it trains them."""
        return self.network.run(x), [[]] * x.shape[1]

    def kept(self, simulation: Simulation) -> list[NDArray[np.int64]]:
        """What the simulated hardware keeps for the next input, as `expected` tells it."""
        return []

    def words_kept(self, kept: Sequence[NDArray[np.int64]]) -> list[LoadWrite]:
        """The same as words that the load port gives when it is asked for them."""
        return []

    @property
    @abstractmethod
    def score_positions(self) -> NDArray[np.int64]:
        """For every output of the network, its place in the engine's order: the number of its PE's scores
        before it, times pes, plus the PE."""

    def scores(self, run: Run) -> NDArray[np.int64]:
        """The outputs of the network, shape (n_out,), from what the PEs gave."""
        pes = self.sizes.pes
        return np.array([run.scores[at % pes][at // pes] for at in self.score_positions], dtype=np.int64)


def bank_rows(inputs: int, written: Sequence[int], *, own_input: bool) -> dict[str, int]:
    """The rows of the memories of a bank of activations that holds so many rows of `inputs`, in a memory of
    their own or not, and of which each stage writes so many (the last one none)."""
    odd, even = (max(written[k::2], default=0) for k in (0, 1))
    return {
        "activation_rows": max(inputs, odd, even),
        "even_rows": even if own_input else max(even, inputs),
        "odd_rows": odd,
        "input_rows": inputs if own_input else 0,
    }


def pack_words(values: NDArray[Any], *, bits: int, per_word: int) -> list[int]:
    """Packs a stream of integers, two's complement of `bits` bits, `per_word` a word, first in the lowest
    bits. The last word is padded with zeros."""
    stream = np.asarray(values, dtype=np.int64) & ((1 << bits) - 1)
    padded = np.zeros(-(-len(stream) // per_word) * per_word, dtype=np.int64)
    padded[: len(stream)] = stream
    words = []
    for chunk in padded.reshape(-1, per_word).tolist():
        word = 0
        for place, value in enumerate(chunk):
            word |= value << place * bits
        words.append(word)
    return words
