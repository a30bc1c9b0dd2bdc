"""How a network lies on an engine that trains it: memory words, samples with their labels, counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.engine.counts import Counts, StageActivity, Traffic
from archsim.engine.mapping import Mapping, MappingError, StoredBits, WayBack, pack_words
from archsim.engine.recording import Recording, record_engine
from archsim.engine.training.backward import products_back
from archsim.engine.training.block_events import BlockMachine
from archsim.engine.training.options import Training
from archsim.engine.training.ring_events import RingMachine
from archsim.engine.training.stages import places, trained_stages
from archsim.engine.watch import Watch
from rtl import Hardware, Images, LoadWrite, Run, Simulation
from rtl.engines.training.engine import build_training
from rtl.engines.training.sizes import SHIFT_BITS, TrainingSizes
from rtl.engines.training.stages import PAIR
from rtl.parts.components import bits_for
from workloads import IntegerNetwork, Topology, TrainedNetwork
from workloads.training.onchip.arithmetic import Scales
from workloads.training.onchip.trainer import Trainer, Words
from workloads.training.schema import OnChipRecipe


@dataclass(frozen=True, eq=False)
class TrainingLayout:
    """Where the weights of a topology lie on an engine of `arithmetic.pes` PEs that trains stages of these
    `kinds`. `registers` are what the random registers of the PEs start from. Raises MappingError for stages
    that it cannot run."""

    topology: Topology
    arithmetic: OnChipRecipe
    kinds: tuple[str, ...]
    registers: tuple[int, ...] = ()

    @cached_property
    def sizes(self) -> TrainingSizes:
        """The sizes of the hardware."""
        widths = self.arithmetic
        try:
            return TrainingSizes.of(
                widths.pes,
                widths.weight_bits,
                trained_stages(self.topology, self.arithmetic, self.kinds),
                read_bits=widths.read_bits,
                activation_bits=widths.activation_bits,
                error_bits=widths.error_bits,
                one=1 << Scales.at_start(widths, 0, (0,), 1).activations[0],
                margin=widths.loss == "margin",
                registers=self.registers if widths.rounding == "stochastic" else (),
                overlap=widths.overlap,
            )
        except ValueError as error:
            raise MappingError(str(error)) from error

    def weight_words(self, of_stages: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """The weights of every PE (pes, weights) in their order, so many a word, from those of every stage.
        The last word of a row that it does not fill holds the last weight again."""
        words = np.zeros((self.sizes.pes, self.sizes.weight_words * PAIR), dtype=np.int64)
        for (pe, place), weights in zip(self._places, of_stages, strict=True):
            rows = weights.reshape(place.shape)
            words[pe, place] = rows
            last = np.argmax(place, axis=1)[:, None]
            ends = np.take_along_axis(place, last, axis=1) | (PAIR - 1)
            words[pe[:, :1], ends] = np.take_along_axis(rows, last, axis=1)
        return words

    def weights_of(self, words: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The weights of every stage, from those of every PE."""
        shapes = [stage.weight_shape for stage in self.topology.stages]
        return [words[at].reshape(shape) for at, shape in zip(self._places, shapes, strict=True)]

    @cached_property
    def _places(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """For every stage the PE and the place in it of the weights of its rows, (n_out, taps) each."""
        sizes = self.sizes
        stages = zip(self.topology.stages, sizes.trained, sizes.weight_bases, strict=False)
        return [places(stage, trained, base * PAIR, sizes.pes) for stage, trained, base in stages]


def shift_words(scales: Scales, rate_shift: int) -> list[int]:
    """The words of shifts that the engine is given for every stage: forward, of the errors of its outputs,
    and of its update."""
    words = []
    passed_on = (*scales.backward[1:], 0)
    for stage, update in enumerate(scales.update(rate_shift)):
        shifts = (scales.forward[stage], passed_on[stage], update)
        words.append(sum(shift << SHIFT_BITS * place for place, shift in enumerate(shifts)))
    return words


@dataclass(frozen=True, eq=False)
class TrainingMapping(Mapping):
    """A network on an engine that trains it, at a rate of 2**-rate_shift. What is counted is a step.

    `network` is the network before the first step, with samples; `engine` the settled engine; `begun` the
    words that the first step finds. A sample has no label of its own: it is given the one that the network
    of `labels` names, the lowest one where nobody names any.
    """

    network: IntegerNetwork
    engine: Any
    begun: Trainer = field(repr=False)
    rate_shift: int
    labels: IntegerNetwork | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, engine: Any, training: Training, trained: TrainedNetwork, integer: IntegerNetwork
    ) -> TrainingMapping:
        """A trained network, and the same as integers with its samples, on an engine that trains it. Raises
        MappingError where it cannot, RecipeError for widths that hold no such rate."""
        begun = training.begun(trained, integer, engine.pes)
        network = replace(begun.network(trained.name, integer.input_range), samples=integer.samples)
        mapping = cls(network, engine, begun, training.rate_shift, integer)
        assert mapping.sizes, "or what the hardware does not support is refused"
        return mapping

    @cached_property
    def layout(self) -> TrainingLayout:
        """Where the weights lie."""
        registers = tuple(self.begun.words.registers.tolist())
        return TrainingLayout(self.begun.topology, self.begun.arithmetic, self.engine.trains, registers)

    @cached_property
    def sizes(self) -> TrainingSizes:
        return self.layout.sizes

    @property
    def accumulator_bits(self) -> int:
        return self.sizes.accumulator_bits

    @property
    def stored_bits(self) -> StoredBits:
        return StoredBits(self.network.stored_weights * self.sizes.weight_bits, 0)

    @property
    def input_memory(self) -> str:
        return "signal_0"

    def count(self) -> Counts:
        sizes, weights = self.sizes, [stage.stage.stored_weights for stage in self.network.stages]
        ends, stages = 1, []
        forward = () if sizes.overlapped else range(len(weights))
        for number, backward in [
            *((number, False) for number in forward),
            *((number, True) for number in reversed(range(len(weights)))),
        ]:
            began, ends = ends, ends + sizes.cycles_of(number, backward=backward)
            products = weights[number] * (1 + (number > 0) + sizes.overlapped if backward else 1)
            stages.append(
                StageActivity(number, began, ends, products, backward=backward and not sizes.overlapped)
            )
        loaded, macs = self.network.n_in + 1, sum(stage.macs for stage in stages)
        walks = 1 if sizes.overlapped else 2
        return Counts(
            cycles=1 + sizes.cycles,
            load_cycles=loaded,
            interval_cycles=1 + sizes.cycles + loaded,
            macs=macs,
            beside=macs - walks * sum(weights),
            traffic=self._traffic(),
            stages=tuple(stages),
        )

    def _traffic(self) -> dict[str, Traffic]:
        sizes, trained = self.sizes, self.sizes.trained
        bits = {shape.role: shape.word_bits for shape in sizes.memory_shapes}
        taps = [stage.signals_read(sizes.pes) for stage in trained]
        outputs = [stage.outputs for stage in trained]
        kept, passes = sum(stage.outputs * stage.words for stage in trained), 1 if sizes.overlapped else 2
        words = {"weight": (passes * kept, kept), "descriptor": (passes * len(trained), 0)}
        for half in (0, 1):
            heads, others = sum(outputs[half::2]), sum(outputs[1 - half :: 2])
            loaded = self.network.n_in * (half == 0)
            both = (sum(taps[half::2]) + others, others + loaded)
            if sizes.overlapped:
                words[f"kept_{half}"] = both
                words[f"signal_{half}"] = (sum(taps[half::2]), sum(outputs[1 - half : -1 : 2]) + loaded)
            else:
                words[f"signal_{half}"] = (sum(taps[half::2]) + both[0], both[1])
            added = [number for number in range(1, len(trained)) if number % 2 != half]
            sums = sum(taps[number] for number in added)
            if sizes.rotates:
                # Heads leave zeros, but those of the last stage, whose errors are those of the scores.
                heads = sum(outputs[half:-1:2])
                words[f"sum_{half}"] = (heads + sums, sums + heads)
            else:
                begun = sum(trained[number].inputs for number in added)
                words[f"sum_{half}"] = (heads + sums - begun, sums)
        return {role: Traffic(*words[role], bits[role]) for role in bits}

    def simulate(self, x: NDArray[np.int64] | None = None, *, watch: Watch | None = None) -> Counts:
        machine = RingMachine if self.sizes.rotates else BlockMachine
        return machine(self.sizes, self.network.n_in, watch).counts()

    def record(self) -> Recording:
        watch, inputs = self.new_watch(), [self.input_memory, *["kept_0"] * self.sizes.overlapped]
        return record_engine(watch, self.simulate(watch=watch), inputs, self.copies, others=1)

    def build(self) -> Hardware:
        return build_training(self.sizes)

    @cached_property
    def images(self) -> Images:
        shifts = shift_words(self.begun.words.scales, self.rate_shift)
        return Images(shifts, self._packed(self.begun.of_stages))

    @property
    def in_flight(self) -> int:
        return self.begun.arithmetic.in_flight(len(self.network.stages))

    def label(self, x: NDArray[np.int64]) -> int:
        """The label that a sample (n_in,) is given."""
        return 0 if self.labels is None else int(np.argmax(self.labels.run(x[:, None])))

    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        pes, mask = self.sizes.pes, (1 << self.sizes.activation_bits) - 1
        inputs = [LoadWrite("input", i % pes, i // pes, value & mask) for i, value in enumerate(x.tolist())]
        # Where samples overlap a bit above the label says that there is one.
        sample = self.sizes.overlapped << bits_for(self.network.n_out)
        return [LoadWrite("label", 0, 0, self.label(x) | sample), *inputs]

    def expected(self, x: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[list[NDArray[np.int64]]]]:
        """The outputs (n_out, batch) of steps on samples (n_in, batch), one after the other, and the weights
        of every stage after each. Overlapped, they are those that a step gives, of an earlier sample, zeros
        where there is none yet."""
        if self.in_flight:
            return self._expected_in_walks(x)
        trainer = self._begun_again()
        words, begun = trainer.words, self.begun.words
        outputs, weights = [], []
        for sample in x.T:
            outputs.append(trainer.network(self.network.name).run(sample[:, None])[:, 0])
            trainer.window(sample[:, None], np.array([self.label(sample)]), self.rate_shift)
            words.scales = begun.scales
            weights.append(trainer.of_stages)
        return np.stack(outputs, axis=1), weights

    def _begun_again(self) -> Trainer:
        """The network before its first step, to be trained."""
        begun = self.begun.words
        words = Words(begun.weights.copy(), begun.scales, begun.registers.copy(), begun.counts.copy())
        return Trainer(self.begun.topology, self.begun.arithmetic, words)

    def _expected_in_walks(
        self, x: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], list[list[NDArray[np.int64]]]]:
        """After walk t weights are as a window of the samples that have gone back leaves them; stage s takes
        sample t - s forward as walk t - 1 left it."""
        late, samples = self.in_flight, x.shape[1]
        after = [self.begun.of_stages]
        labels = np.array([self.label(sample) for sample in x.T])
        for walk in range(samples):
            trainer, gone = self._begun_again(), max(0, walk + 1 - late)
            if gone:
                trainer.window(x[:, :gone], labels[:gone], self.rate_shift)
            after.append(trainer.of_stages)
        outputs = np.zeros((self.network.n_out, samples), dtype=np.int64)
        for walk in range(late - 1, samples):
            sample = walk + 1 - late
            met = [after[sample + number][number] for number in range(late)]
            trainer = self._begun_again()
            trainer.words.weights = np.concatenate([array.ravel() for array in met]).astype(np.int32)
            outputs[:, walk] = trainer.network(self.network.name).run(x[:, [sample]])[:, 0]
        return outputs, after[1:]

    def scores(self, run: Run) -> NDArray[np.int64]:
        return super().scores(run) if any(run.scores) else np.zeros(self.network.n_out, dtype=np.int64)

    def way_back(self, x: NDArray[np.int64]) -> WayBack:
        sizes = self.sizes
        return WayBack(
            *products_back(self.network, self.begun.words.scales, x, self.label(x)),
            product_bits=sizes.read_bits + sizes.error_bits,
            slope_bits=sizes.error_bits + sizes.activation_bits,
            passes=1 if sizes.overlapped else 2,
        )

    def kept(self, simulation: Simulation) -> list[NDArray[np.int64]]:
        """The weights of every stage as they lie in the memories."""
        return self.layout.weights_of(self.unpacked(simulation.contents("weight")))

    def words_kept(self, kept: Sequence[NDArray[np.int64]]) -> list[LoadWrite]:
        return [
            LoadWrite("unload", unit, address, word)
            for unit, words in enumerate(self._packed(kept))
            for address, word in enumerate(words)
        ]

    def _packed(self, of_stages: Sequence[NDArray[np.int64]]) -> list[list[int]]:
        """The words of every PE."""
        bits, words = self.sizes.weight_bits, self.layout.weight_words(of_stages)
        return [pack_words(of_pe, bits=bits, per_word=PAIR) for of_pe in words]

    def unpacked(self, words: NDArray[np.int64]) -> NDArray[np.int64]:
        """The weights of every PE (pes, weights) from its words (pes, words)."""
        bits = self.sizes.weight_bits
        weights: NDArray[np.int64] = (words[..., None] >> bits * np.arange(PAIR)) & ((1 << bits) - 1)
        signed: NDArray[np.int64] = (weights - ((weights >> bits - 1) << bits)).reshape(len(words), -1)
        return signed

    @cached_property
    def score_positions(self) -> NDArray[np.int64]:
        stage, pes = self.sizes.trained[-1], self.sizes.pes
        span, of_span = np.divmod(np.arange(stage.outputs), stage.span)
        group, pe = np.divmod(of_span, pes)
        whole, last = stage.span // pes, stage.span % pes
        before: NDArray[np.int64] = span * (whole + (pe < last)) + group
        return before * pes + pe
