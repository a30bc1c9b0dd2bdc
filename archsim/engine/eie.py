"""The engine that skips zeros: activations that are not zero are broadcast, weights lie in columns (EIE)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from archsim.engine.biases import BiasRows, bias_rows
from archsim.engine.broadcast.accumulation import accumulate
from archsim.engine.broadcast.columns import DealtColumns, EncodedColumns
from archsim.engine.broadcast.events import simulate_broadcast
from archsim.engine.counts import Counts, StageActivity
from archsim.engine.draws import Draws
from archsim.engine.engine import AUTO, Engine, EngineError, engines
from archsim.engine.gather.encoding import deal_rows
from archsim.engine.mapping import Mapping, MappingError, StoredBits, bank_rows, pack_words, sized
from archsim.engine.stimulus import sample_inputs, stimulus
from archsim.engine.watch import Watch
from rtl import Hardware, Images, LoadWrite
from rtl.engines.eie import EieSizes, build_eie
from rtl.parts.components import bits_for
from workloads import IntegerNetwork, IntegerStage, PrunedStage, Stage

MOST_ZEROS_BITS = 8
MOST_CODEBOOK_BITS = 8
MOST_QUEUED = 256
"""Places of a queue, whose hardware is a register each."""


@engines.register("eie")
class Eie(Engine):
    """Any sparse pattern, by columns; an activation of zero costs nothing but the look at it.

    `queue_depth`: how many activations wait for a PE at most, before the others wait for it. `zeros_bits`:
    how many rows without a weight an entry passes over, 2^bits - 1; *auto* takes the number with the least
    product of bits stored and entries. With `codebook_bits` an entry holds the number of its weight in a
    table of the stage, which each PE keeps; with 0 the weight itself. Cycles, products and traffic depend on
    the inputs: what is told lies between bounds that hold for all, `analytic` is the mean over the network's
    samples, and `cycle` and `rtl` run the first of them. After S. Han et al., EIE, ISCA 2016.
    """

    hardware: ClassVar = EieSizes
    unused: ClassVar = frozenset({"zero_gating"})
    # Random networks have more weights than a codebook names, and deep queues little to hold.
    drawn: ClassVar[dict[str, Sequence[Any]]] = {
        "codebook_bits": (0,),
        "queue_depth": (1, 2, 4, 16, 32),
        "zeros_bits": (2, 3, 5, 8),
    }
    trained_for: ClassVar = "pruned"
    stalls: ClassVar = "cycles of the scan are lost to full queues"

    kind: Literal["eie"] = "eie"
    queue_depth: Annotated[int, Field(ge=1, le=MOST_QUEUED)] = 8
    zeros_bits: Annotated[int, Field(ge=1, le=MOST_ZEROS_BITS)] | Literal["auto"] = "auto"
    codebook_bits: Annotated[int, Field(ge=0, le=MOST_CODEBOOK_BITS)] = 0

    @classmethod
    def layers(cls, draws: Draws) -> Iterator[tuple[Stage, ...]]:
        for n_in, n_out in draws.widths():
            yield (PrunedStage.from_mask(draws.mask(n_out, n_in, draws.share(0.03, 0.4))),)

    @model_validator(mode="after")
    def _banks_requantise(self) -> Eie:
        if self.requantiser == "shared":
            raise EngineError("requantiser is shared, allowed with banks that each write are auto and each")
        return self

    @model_validator(mode="after")
    def _codebook_is_smaller(self) -> Eie:
        if self.codebook_bits and not 2 <= self.codebook_bits < self.weight_bits:
            fewer = f"are 0 and 2 to {self.weight_bits - 1}, fewer than weight_bits"
            allowed = fewer if self.weight_bits > 2 else "is 0"
            raise EngineError(f"codebook_bits is {self.codebook_bits}, allowed {allowed}")
        return self

    @model_validator(mode="after")
    def _fetch_brings_an_entry(self) -> Eie:
        least = self.code_bits + (1 if self.zeros_bits == AUTO else int(self.zeros_bits))
        if self.fetch_bits != AUTO and self.fetch_bits < least:
            said = f"allowed are at least {least}, a weight and the rows before it"
            raise EngineError(f"fetch_bits is {self.fetch_bits}, {said}")
        return self

    @property
    def code_bits(self) -> int:
        """Bits in which an entry tells its weight."""
        return self.codebook_bits or self.weight_bits

    def lay(self, network: IntegerNetwork, fabric: str) -> EieMapping:
        dealt, positions = _dealt(network, self.pes, self.code_bits)
        zeros_bits = self._zeros_bits(dealt)
        engine = self.requantising(shared=False).model_copy(update={"zeros_bits": zeros_bits})
        stages = tuple(stage.encoded(zeros_bits) for stage in dealt)
        if self.codebook_bits:
            self._check_codebook(stages)
        return EieMapping(network, engine, fabric, stages, positions)

    def _check_codebook(self, stages: Sequence[EncodedColumns]) -> None:
        """Raises MappingError where a stage has more weights than a table has places."""
        distinct = [len(stage.values) for stage in stages]
        number, needed = int(np.argmax(distinct)), bits_for(max(distinct))
        if needed <= self.codebook_bits:
            return
        allowed = f"are 0 and {needed} or more" if needed < self.weight_bits else "is 0"
        raise MappingError(
            f"codebook_bits is {self.codebook_bits}, allowed {allowed}: the network's stage {number} has "
            f"{distinct[number]} distinct weights, the zeros of padding included"
        )

    def _zeros_bits(self, dealt: Sequence[DealtColumns]) -> int:
        """The width with the least bits x entries of those that fit into a fetch with a weight."""
        if self.zeros_bits != AUTO:
            return int(self.zeros_bits)
        widest = min(MOST_ZEROS_BITS, int(self.fetch_bits) - self.code_bits)
        return min(range(1, widest + 1), key=lambda bits: self._expense(dealt, bits))

    def _expense(self, dealt: Sequence[DealtColumns], bits: int) -> float:
        """Words of entries times entries, each of whose padding takes time as a weight does."""
        entries = sum(stage.entries(bits) for stage in dealt)
        return entries / (int(self.fetch_bits) // (self.code_bits + bits)) * entries


@dataclass(frozen=True, eq=False)
class EieMapping(Mapping):
    """A network on the EIE engine. Output r of PE p lies in row r of bank p."""

    network: IntegerNetwork = field(repr=False)
    engine: Eie = field(repr=False)
    fabric: str
    stages: tuple[EncodedColumns, ...] = field(repr=False)
    positions: tuple[NDArray[np.int64], ...] = field(repr=False)
    """Where each output of each stage lies: row * pes + PE."""

    @cached_property
    def biases(self) -> tuple[BiasRows, ...]:
        bits = self.engine.code_bits, self.network.activation_bits
        return tuple(bias_rows(stage, *bits) for stage in self.network.stages)

    def broadcasts(self, counts: Counts) -> int:
        # Each PE reads two pointers of a column.
        return counts.traffic["index"].words_read // (2 * self.engine.pes)

    @property
    def emptied(self) -> int:
        return sum(stage.stage.n_out for stage in self.network.stages)

    @cached_property
    def product_orders(self) -> tuple[NDArray[np.int64], ...]:
        lies_at = [np.arange(self.network.n_in, dtype=np.int64), *self.positions]
        orders = []
        for integer, read_from, positions in zip(self.network.stages, lies_at, self.positions, strict=False):
            row = np.repeat(np.arange(integer.stage.n_out), integer.stage.row_lengths())
            place, pe = np.divmod(positions[row], self.engine.pes)
            orders.append(np.lexsort((place, read_from[integer.stage.columns()], pe)))
        return tuple(orders)

    @property
    def score_positions(self) -> NDArray[np.int64]:
        return self.positions[-1]

    @cached_property
    def sizes(self) -> EieSizes:
        engine, network = self.engine, self.network
        pes = engine.pes
        groups = [-(-stage.stage.n_out // pes) for stage in network.stages]
        zeros_bits = int(engine.zeros_bits)
        per_fetch = int(engine.fetch_bits) // (engine.code_bits + zeros_bits)
        return sized(
            EieSizes,
            **self.engine_sizes(engine, self.fabric),
            weight_words=max(1, int((-(-self._entries // per_fetch)).max())),
            banks=pes,
            shared_requantiser=False,
            **bank_rows(-(-network.n_in // pes), groups[:-1], own_input=bool(engine.input_buffer)),
            stages=len(self.stages),
            longest_row=1,
            most_groups=max(groups),
            queue_depth=engine.queue_depth,
            zeros_bits=zeros_bits,
            columns=sum(stage.counts.shape[1] for stage in self.stages),
            codebook_bits=engine.codebook_bits,
        )

    @cached_property
    def _entries(self) -> NDArray[np.int64]:
        """Entries of each PE, shape (pes,)."""
        of_pes: NDArray[np.int64] = np.sum([stage.entries for stage in self.stages], axis=0)
        return of_pes

    @property
    def stored_bits(self) -> StoredBits:
        entries, engine, sizes = int(self._entries.sum()), self.engine, self.sizes
        pointers = engine.pes * (sizes.columns + 1) * sizes.pointer_bits
        said = f"distances of {engine.zeros_bits} bits in columns, pointers of {sizes.pointer_bits} bits"
        weights = entries * engine.code_bits
        if engine.codebook_bits:
            weights += engine.pes * sizes.codebook_words * engine.weight_bits
            said += f", weights as codes of {engine.codebook_bits} bits"
        return StoredBits(weights, entries * int(engine.zeros_bits) + pointers, said)

    def count(self) -> Counts:
        runs = [self.run_on(self._signals(x[:, None])) for x in stimulus(self.network).T]
        least, most = self._bounds
        return Counts.mean(runs, least=least, most=most)

    def simulate(self, x: NDArray[np.int64] | None = None, *, watch: Watch | None = None) -> Counts:
        signals = self._signals(sample_inputs(self.network, 1) if x is None else x)
        outputs = [stage.stage.n_out for stage in self.network.stages]
        counts = simulate_broadcast(self.stages, outputs, signals, self.sizes, self.traffic, watch)
        return counts.between(*self._bounds)

    def count_of(self, x: NDArray[np.int64]) -> Counts:
        return self.run_on(self._signals(x)).between(*self._bounds)

    def _signals(self, x: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The inputs of every stage, shape (n_in,), where the bank and row of each say."""
        first, *others = (signal[:, 0] for signal in self.network.signals(x))
        return [first, *(_placed(signal, at) for signal, at in zip(others, self.positions, strict=False))]

    @cached_property
    def _bounds(self) -> tuple[Counts, Counts]:
        """Counts with all activations zero, and with none: no others are less, or more."""
        widths = [stage.stage.n_in for stage in self.network.stages]
        none, every = (self.run_on([np.full(width, value) for width in widths]) for value in (0, 1))
        return none, every

    def run_on(self, signals: Sequence[NDArray[np.int64]]) -> Counts:
        """The counts of an inference with these inputs of every stage, shape (n_in,), where they lie."""
        pes, sizes = self.engine.pes, self.sizes
        fetch, per_fetch = sizes.descriptor_format.words, sizes.weights_per_fetch
        activity: list[StageActivity] = []
        begun, start, waits = fetch + 1, 1, 0
        words = macs = biases = entries = coded = broadcasts = waited = 0
        entered = np.zeros(pes, dtype=np.int64)
        for number, (stage, signal) in enumerate(zip(self.stages, signals, strict=True)):
            run = accumulate(stage, signal, queue_depth=sizes.queue_depth, latency=sizes.pipeline.accumulate)
            wanted, idle, blocked = run.wanted, run.ends, run.waited
            drained = idle + -(-self.network.stages[number].stage.n_out // pes) + 1
            following = max(drained, idle + fetch + 1) if number < len(self.stages) - 1 else drained
            waits = waits if number else following - drained
            begun += following
            stored = stage.stored[:, wanted]
            weighted = wanted[stage.bias_columns :]
            done, coded = int(stage.stored[:, weighted].sum()), coded + int(stage.counts[:, weighted].sum())
            activity.append(StageActivity(number, start, begun + 1, done, blocked))
            start = begun + 1
            macs, biases = macs + done, biases + int(stored.sum()) - done
            entries += int(stage.counts[:, wanted].sum())
            broadcasts, waited = broadcasts + len(wanted), waited + blocked
            words += _words(stage, wanted, entered, per_fetch)
            entered += stage.entries
        return Counts(
            cycles=start,
            load_cycles=self.network.n_in,
            interval_cycles=self.interval(activity, self.network.n_in, waits),
            macs=macs,
            padding=entries - macs - biases,
            biases=biases,
            stalls=waited,
            traffic=self.traffic(
                weight=words,
                index=2 * broadcasts * pes,
                read=[-(-len(signal) // pes) * pes for signal in signals],
                written=[*(stage.stage.n_out for stage in self.network.stages[:-1]), 0],
                loaded=self.network.n_in,
                descriptor=fetch * len(self.stages),
                **({"codebook": coded} if sizes.codebook_bits else {}),
            ),
            exact=False,
            stages=tuple(activity),
        )

    def build(self) -> Hardware:
        return build_eie(self.sizes)

    @cached_property
    def images(self) -> Images:
        sizes, descriptors = self.sizes, list[int]()
        code_bits, per_fetch = sizes.code_bits, sizes.weights_per_fetch
        streams, pointers = [], []
        for pe in range(sizes.pes):
            weights = [stage.codes(pe) if sizes.codebook_bits else stage.weights[pe] for stage in self.stages]
            zeros = np.concatenate([stage.zeros[pe] for stage in self.stages])
            entries = np.concatenate(weights) & ((1 << code_bits) - 1) | zeros << code_bits
            streams.append(pack_words(entries, bits=sizes.entry_bits, per_word=per_fetch))
            ends = np.cumsum(np.concatenate([stage.counts[pe] for stage in self.stages]))
            begins = np.concatenate([[0], ends])
            places = begins // per_fetch << sizes.place_bits | begins % per_fetch
            pointers += [places[0::2].tolist(), places[1::2].tolist()]
        for number in range(len(self.stages)):
            last_row, last_bank = divmod(self.network.stages[number].stage.n_in - 1, sizes.pes)
            table = {"table": number} if sizes.codebook_bits else {}
            descriptors += self.descriptor(
                number, input_rows_less_one=last_row, input_valid_less_one=last_bank, **table
            )
        return Images(descriptors, streams, pointers, codebooks=[self._codebook] * sizes.pes)

    @property
    def _codebook(self) -> list[int]:
        """The weights of every stage in the order of their codes, as every PE keeps them."""
        if not self.sizes.codebook_bits:
            return []
        words = np.zeros((len(self.stages), 1 << self.sizes.codebook_bits), dtype=np.int64)
        for table, stage in zip(words, self.stages, strict=True):
            table[: len(stage.values)] = stage.values
        return [int(word) for word in words.ravel() & ((1 << self.sizes.weight_bits) - 1)]

    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        mask, pes = (1 << self.network.activation_bits) - 1, self.engine.pes
        return [LoadWrite("input", i % pes, i // pes, int(value) & mask) for i, value in enumerate(x)]


def _words(
    stage: EncodedColumns, wanted: NDArray[np.int64], entered: NDArray[np.int64], per_fetch: int
) -> int:
    """Words of entries that all PEs read for these columns: a column begins with a fetch."""
    ends = entered[:, None] + np.cumsum(stage.counts, axis=1)
    begins = ends - stage.counts
    touched = (ends - 1) // per_fetch - begins // per_fetch + 1
    return int(np.where(stage.counts > 0, touched, 0)[:, wanted].sum())


@lru_cache(maxsize=32)
def _dealt(
    network: IntegerNetwork, pes: int, bias_bits: int
) -> tuple[tuple[DealtColumns, ...], tuple[NDArray[np.int64], ...]]:
    """The stages with their rows dealt to PEs so that weights balance, and the places of their outputs; a
    bias is in words of so many bits."""
    lies_at = [np.arange(network.n_in, dtype=np.int64)]
    stages = []
    for integer in network.stages:
        positions = deal_rows(integer.stage.row_lengths(), pes)
        biases = bias_rows(integer, bias_bits, network.activation_bits).words
        stages.append(_deal(integer, biases, lies_at[-1], positions, pes))
        lies_at.append(positions)
    return tuple(stages), tuple(lies_at[1:])


def _deal(
    integer: IntegerStage,
    biases: NDArray[np.int64],
    read_from: NDArray[np.int64],
    positions: NDArray[np.int64],
    pes: int,
) -> DealtColumns:
    """The weights of a stage by PE, column and place; a column is that of the place that its input is read
    from."""
    words = biases.shape[1]
    row = np.repeat(np.arange(integer.stage.n_out), integer.stage.row_lengths())
    column = read_from[integer.stage.columns()] + words
    biased, word = np.nonzero(biases)
    rows, columns = np.concatenate([biased, row]), np.concatenate([word, column])
    weights = np.concatenate([biases[biased, word], integer.weights.ravel()])
    place, pe = np.divmod(positions[rows], pes)
    # As one number, which is sorted faster: by PE, column and place.
    order = np.argsort((pe * (words + integer.stage.n_in) + columns) * (1 + place.max(initial=0)) + place)
    return DealtColumns(
        pe=pe[order],
        column=columns[order],
        place=place[order],
        weight=weights[order],
        columns=words + integer.stage.n_in,
        bias_columns=words,
        pes=pes,
    )


def _placed(signal: NDArray[Any], positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Outputs in the order of the places that they are written to."""
    lies = np.zeros(len(signal), dtype=np.int64)
    lies[positions] = signal
    return lies
