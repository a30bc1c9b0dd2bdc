"""The engine that skips zeros: activations that are not zero are broadcast, weights lie in columns (EIE)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from archsim.engine.biases import bias_rows
from archsim.engine.broadcast.columns import DealtColumns, EncodedColumns
from archsim.engine.broadcast.events import simulate_broadcast
from archsim.engine.broadcast.solver import solve
from archsim.engine.counts import Counts, StageActivity
from archsim.engine.draws import Draws
from archsim.engine.engine import AUTO, Engine, EngineError, engines
from archsim.engine.gather.encoding import deal_rows
from archsim.engine.mapping import Mapping, StoredBits, bank_rows, pack_words, sized
from archsim.engine.stimulus import stimulus
from archsim.engine.watch import Watch
from rtl import Hardware, Images, LoadWrite
from rtl.engines.eie import EieSizes, build_eie
from workloads import IntegerNetwork, IntegerStage, PrunedStage, Stage

MOST_ZEROS_BITS = 8


@engines.register("eie")
class Eie(Engine):
    """Any sparse pattern, by columns; an activation of zero costs nothing but the look at it.

    `queue_depth`: how many activations wait for a PE at most, before the others wait for it. `zeros_bits`:
    how many rows without a weight an entry passes over, 2^bits - 1; *auto* takes the number with the least
    product of bits stored and entries. Cycles, products and traffic depend on the inputs: what is told lies
    between bounds that hold for all, `analytic` is the mean over the network's samples, and `cycle` and `rtl`
    run the first of them. After S. Han et al., EIE, ISCA 2016.
    """

    hardware: ClassVar = EieSizes
    unused: ClassVar = frozenset({"zero_gating"})
    drawn: ClassVar = {"queue_depth": (1, 2, 4, 16, 32), "zeros_bits": (2, 3, 5, 8)}
    trained_for: ClassVar = "pruned"

    kind: Literal["eie"] = "eie"
    queue_depth: Annotated[int, Field(ge=1, le=64)] = 8
    zeros_bits: Annotated[int, Field(ge=1, le=MOST_ZEROS_BITS)] | Literal["auto"] = "auto"

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
    def _fetch_brings_an_entry(self) -> Eie:
        least = self.weight_bits + (1 if self.zeros_bits == AUTO else int(self.zeros_bits))
        if self.fetch_bits != AUTO and self.fetch_bits < least:
            said = f"allowed are at least {least}, a weight and the rows before it"
            raise EngineError(f"fetch_bits is {self.fetch_bits}, {said}")
        return self

    def lay(self, network: IntegerNetwork, fabric: str) -> EieMapping:
        dealt, positions = _dealt(network, self.pes)
        zeros_bits = self._zeros_bits(dealt)
        engine = self.requantising(shared=False).model_copy(update={"zeros_bits": zeros_bits})
        stages = tuple(stage.encoded(zeros_bits) for stage in dealt)
        return EieMapping(network, engine, fabric, stages, positions)

    def _zeros_bits(self, dealt: Sequence[DealtColumns]) -> int:
        """The width with the least bits x entries of those that fit into a fetch with a weight."""
        if self.zeros_bits != AUTO:
            return int(self.zeros_bits)
        widest = min(MOST_ZEROS_BITS, int(self.fetch_bits) - self.weight_bits)
        return min(range(1, widest + 1), key=lambda bits: self._expense(dealt, bits))

    def _expense(self, dealt: Sequence[DealtColumns], bits: int) -> float:
        """Words of entries times entries, each of whose padding takes time as a weight does."""
        entries = sum(stage.entries(bits) for stage in dealt)
        return entries / (int(self.fetch_bits) // (self.weight_bits + bits)) * entries


@dataclass(frozen=True, eq=False)
class EieMapping(Mapping):
    """A network on the EIE engine. Output r of PE p lies in row r of bank p."""

    network: IntegerNetwork = field(repr=False)
    engine: Eie = field(repr=False)
    fabric: str
    stages: tuple[EncodedColumns, ...] = field(repr=False)
    positions: tuple[NDArray[np.int64], ...] = field(repr=False)
    """Where each output of each stage lies: row * pes + PE."""

    @property
    def watched(self) -> bool:
        return False

    def broadcasts(self, counts: Counts) -> int:
        # Each PE reads two pointers of a column.
        return counts.traffic["index"].words_read // (2 * self.engine.pes)

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
        per_fetch = int(engine.fetch_bits) // (engine.weight_bits + zeros_bits)
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
        return StoredBits(
            entries * self.network.weight_bits, entries * int(engine.zeros_bits) + pointers, said
        )

    def count(self) -> Counts:
        runs = [self.run_on(self._signals(x[:, None])) for x in stimulus(self.network).T]
        least, most = self._bounds
        return Counts.mean(runs, least=least, most=most)

    def simulate(self, x: NDArray[np.int64] | None = None, *, watch: Watch | None = None) -> Counts:
        signals = self._signals(stimulus(self.network)[:, :1] if x is None else x)
        outputs = [stage.stage.n_out for stage in self.network.stages]
        counts = simulate_broadcast(self.stages, outputs, signals, self.sizes, self.traffic)
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
        words = macs = biases = entries = broadcasts = waited = 0
        entered = np.zeros(pes, dtype=np.int64)
        for number, (stage, signal) in enumerate(zip(self.stages, signals, strict=True)):
            wanted, gaps, after = _choices(signal, pes, stage.bias_columns)
            first = 1 if stage.bias_columns else 2
            idle, blocked = solve(
                stage.counts, wanted, gaps, after, first, sizes.queue_depth, sizes.pipeline.accumulate
            )
            drained = idle + -(-self.network.stages[number].stage.n_out // pes) + 1
            following = max(drained, idle + fetch + 1) if number < len(self.stages) - 1 else drained
            waits = waits if number else following - drained
            begun += int(following)
            stored = stage.stored[:, wanted]
            done = int(stored[:, wanted >= stage.bias_columns].sum())
            activity.append(StageActivity(number, start, begun + 1, done, int(blocked)))
            start = begun + 1
            macs, biases = macs + done, biases + int(stored.sum()) - done
            entries += int(stage.counts[:, wanted].sum())
            broadcasts, waited = broadcasts + len(wanted), waited + int(blocked)
            words += _words(stage, wanted, entered, per_fetch)
            entered += stage.entries
        return Counts(
            cycles=start,
            load_cycles=self.network.n_in,
            interval_cycles=self.interval(activity, self.network.n_in, int(waits)),
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
            ),
            exact=False,
            stages=tuple(activity),
        )

    def build(self) -> Hardware:
        return build_eie(self.sizes)

    @cached_property
    def images(self) -> Images:
        sizes, descriptors = self.sizes, list[int]()
        zeros_bits, per_fetch, weight_bits = sizes.zeros_bits, sizes.weights_per_fetch, sizes.weight_bits
        streams, pointers = [], []
        for pe in range(sizes.pes):
            weights = np.concatenate([stage.weights[pe] for stage in self.stages])
            zeros = np.concatenate([stage.zeros[pe] for stage in self.stages])
            entries = weights & ((1 << weight_bits) - 1) | zeros << weight_bits
            streams.append(pack_words(entries, bits=weight_bits + zeros_bits, per_word=per_fetch))
            ends = np.cumsum(np.concatenate([stage.counts[pe] for stage in self.stages]))
            begins = np.concatenate([[0], ends])
            places = begins // per_fetch << sizes.place_bits | begins % per_fetch
            pointers += [places[0::2].tolist(), places[1::2].tolist()]
        for number in range(len(self.stages)):
            last_row, last_bank = divmod(self.network.stages[number].stage.n_in - 1, sizes.pes)
            descriptors += self.descriptor(
                number, input_rows_less_one=last_row, input_valid_less_one=last_bank
            )
        return Images(descriptors, streams, pointers)

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


def _choices(
    signal: NDArray[np.int64], pes: int, bias_columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The columns that are broadcast, the rows of zeros before each, and after the last."""
    columns = np.flatnonzero(signal)
    rows, taken = -(-len(signal) // pes), np.unique(columns // pes)
    gaps = np.zeros(len(columns), dtype=np.int64)
    begins = np.searchsorted(columns // pes, taken)
    gaps[begins] = np.diff(taken, prepend=-1) - 1
    after = rows - 1 - int(taken[-1]) if len(taken) else rows
    wanted = np.concatenate([np.arange(bias_columns), bias_columns + columns])
    return wanted, np.concatenate([np.zeros(bias_columns, dtype=np.int64), gaps]), after


@lru_cache(maxsize=32)
def _dealt(
    network: IntegerNetwork, pes: int
) -> tuple[tuple[DealtColumns, ...], tuple[NDArray[np.int64], ...]]:
    """The stages with their rows dealt to PEs so that weights balance, and the places of their outputs."""
    lies_at = [np.arange(network.n_in, dtype=np.int64)]
    stages = []
    for integer in network.stages:
        positions = deal_rows(integer.stage.row_lengths(), pes)
        biases = bias_rows(integer, network.weight_bits, network.activation_bits).words
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
    order = np.lexsort((place, columns, pe))
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
