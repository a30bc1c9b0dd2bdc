"""A model of places on an engine: segments that share its hardware, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, reduce
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from archsim.engine.counts import Counts, StageActivity, Traffic
from archsim.engine.mapping import ROLES, Mapping, MappingError, StoredBits
from archsim.engine.sweep.events import simulate_sweep
from archsim.engine.sweep.recording import SweepRecording
from archsim.engine.sweep.segments import BEGINS, Segment
from archsim.engine.watch import Watch
from rtl import Hardware, Images, LoadWrite, Sizes
from rtl.parts.sweep_sizes import SweepSizes, fields_for
from workloads import IntegerModel, IntegerPart, Places, Steps

M = TypeVar("M", bound=Mapping)
ADDED = ("weight_words", "index_words", "stages")
"""Sizes of which each segment needs its own; of all others the largest serves all."""


@dataclass(frozen=True, eq=False)
class SweptMapping(Mapping):
    """A model on an engine. `cascades` are the mappings of its parts, before they share their hardware."""

    network: IntegerModel
    engine: Any = field(repr=False)
    fabric: str
    parts: tuple[IntegerPart, ...] = field(repr=False)
    cascades: tuple[Mapping, ...] = field(repr=False)

    @cached_property
    def sizes(self) -> Sizes:
        merged = merged_sizes([cascade.sizes for cascade in self.cascades])
        return replace(merged, sweep=self._sweep_sizes)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The segments, on the hardware that they share."""
        return _segments(self.parts, [_resized(cascade, self.sizes) for cascade in self.cascades])

    @cached_property
    def _words(self) -> list[dict[str, int]]:
        """The fields of each segment, addresses as they may be negative."""
        words, first = [], 0
        for segment in _segments(self.parts, self.cascades):
            words.append(dict(segment.fields(first)))
            first = words[-1]["last_channel"] + 1
        return words

    @cached_property
    def _sweep_sizes(self) -> SweepSizes:
        segments = _segments(self.parts, self.cascades)
        rows = [0, 0]
        for segment in segments[:-1]:
            rows[segment.number % 2] = max(rows[segment.number % 2], segment.rows)
        channels = [entry for segment in segments for entry in segment.channels]
        sizes = SweepSizes(
            image_words=self.network.n_in,
            rows=tuple(number for number in rows if number),
            channels=len(channels),
            ranks=max(rank for _, rank, _ in channels) + 1,
            segments=len(segments),
            fields=(),
        )
        return replace(sizes, fields=fields_for(_modulo(self._words, sizes.address_bits)))

    @property
    def stored_bits(self) -> StoredBits:
        bits = [cascade.stored_bits for cascade in self.cascades]
        return StoredBits(
            sum(each.weight for each in bits), sum(each.index for each in bits), bits[0].encoding
        )

    def count(self) -> Counts:
        runs = [segment.counted for segment in self.segments]
        at, activity = 1, []
        for segment, run in zip(self.segments, runs, strict=True):
            start, repeated = at, (segment.places - 1) * segment.place_cycles(run)
            at += BEGINS + segment.words + repeated + run.cycles + 1
            activity.append(StageActivity(segment.number, start, at, segment.places * run.macs))
        free = activity[0].end_cycle
        return Counts(
            cycles=at,
            load_cycles=self.network.n_in,
            interval_cycles=max(at, free + self.network.n_in),
            macs=self.summed(runs, "macs"),
            padding=self.summed(runs, "padding"),
            biases=self.summed(runs, "biases"),
            stalls=self.summed(runs, "stalls"),
            traffic=self.swept_traffic(
                runs,
                looked_up=sum(s.places * int(s.looked_up.sum()) for s in self.segments),
                read=[[int((s.words_read == kind).sum()) for kind in (0, 1)] for s in self.segments],
                written=[s.places * s.mapping.network.n_out for s in self.segments[:-1]],
            ),
            stages=tuple(activity),
        )

    def summed(self, runs: Sequence[Counts], figure: str) -> int:
        """A figure over all places, from those of one place of each segment."""
        return sum(s.places * int(getattr(run, figure)) for s, run in zip(self.segments, runs, strict=True))

    def swept_traffic(
        self, runs: Sequence[Counts], *, looked_up: int, read: Sequence[Sequence[int]], written: Sequence[int]
    ) -> dict[str, Traffic]:
        """Traffic of all memories: of the engine's, at all places, from that of one place of each segment; of
        the maps, from the words that each segment has `read` of its source and of its own map, and `written`.
        """
        words = {shape.role: [0, 0, shape.word_bits] for shape in self.sizes.memory_shapes}
        for segment, run in zip(self.segments, runs, strict=True):
            for role, traffic in run.traffic.items():
                words[role][0] += segment.places * traffic.words_read
                words[role][1] += segment.places * traffic.words_written
        sweep = self._sweep_sizes
        words["image"][1] += self.network.n_in
        words["channel"][0] += looked_up
        words["segment"][0] += sweep.segments * sweep.segment_format.words
        for segment, (of_source, of_state) in zip(self.segments, read, strict=True):
            words[segment.source][0] += of_source
            if of_state:
                words[segment.target][0] += of_state
        for segment, count in zip(self.segments, written, strict=False):
            words[segment.target][1] += count
        return {role: Traffic(*words[role]) for role in ROLES if role in words}

    def simulate(self, x: NDArray[np.int64] | None = None, *, watch: Watch | None = None) -> Counts:
        run = simulate_sweep(self.segments, self.network.n_in, watch)
        engine = [run.engine[segment.number] for segment in self.segments]
        return Counts(
            cycles=run.cycles,
            load_cycles=run.loaded,
            interval_cycles=run.interval_cycles,
            macs=self.summed(engine, "macs"),
            padding=self.summed(engine, "padding"),
            biases=self.summed(engine, "biases"),
            stalls=self.summed(engine, "stalls"),
            traffic=self.swept_traffic(
                engine, looked_up=run.looked_up, read=run.read, written=run.written[:-1]
            ),
            stages=tuple(run.activity),
        )

    def record(self) -> SweepRecording:
        watch, first = self.new_watch(), self.segments[0].mapping
        counts = self.simulate(watch=watch)
        return SweepRecording(counts, self.segments, watch, first.input_memory, first.copies)

    @property
    def watched(self) -> bool:
        return all(segment.mapping.watched for segment in self.segments)

    def build(self) -> Hardware:
        return self.segments[0].mapping.build()

    @cached_property
    def images(self) -> Images:
        images = [segment.mapping.images for segment in self.segments]
        pes, sweep = self.sizes.pes, self._sweep_sizes
        bank_bits, rank_bits, _ = sweep.channel_parts(pes).values()
        lanes = [
            sweep.segment_format.pack({name: word[name] for name in sweep.bits})
            for word in _modulo(self._words, sweep.address_bits)
        ]
        return Images(
            [word for image in images for word in image.descriptors],
            [[word for image in images for word in image.weights[p]] for p in range(pes)],
            [
                [word for image in images for word in image.indices[walker]]
                for walker in range(len(images[0].indices))
            ],
            channels=[
                (state << rank_bits | rank) << bank_bits | bank
                for segment in self.segments
                for bank, rank, state in segment.channels
            ],
            segments=list(zip(*lanes, strict=True)),
        )

    def load(self, x: NDArray[np.int64]) -> list[LoadWrite]:
        mask = (1 << self.network.activation_bits) - 1
        sweep = self.parts[0].sweep
        if isinstance(sweep, Places):
            x = x.reshape(sweep.channels, -1).T.ravel()
        return [LoadWrite("input", 0, i, int(value) & mask) for i, value in enumerate(x)]

    @property
    def score_positions(self) -> NDArray[np.int64]:
        last = self.segments[-1]
        (pe, rank), pes = last.places_of_scores, self.sizes.pes
        of_pe = np.bincount(pe, minlength=pes)[pe]
        places = np.arange(last.places) * of_pe[:, None] + rank[:, None]
        positions: NDArray[np.int64] = (places * pes + pe[:, None]).ravel()
        return positions


def sweep_model(engine: Any, model: IntegerModel, fabric: str) -> SweptMapping:
    """Lays a model on a settled engine. Raises MappingError where the engine cannot run one of its cascades,
    a recurrent part is not the first, or is the last, or a part reads another map than is written."""
    parts = model.fused().parts
    for number, part in enumerate(parts):
        if isinstance(part.sweep, Steps) and (number or len(parts) == 1):
            raise MappingError(
                f"part {number} of {len(parts)} of the network is recurrent, allowed is a recurrent part as "
                "the first one, with fully connected layers behind it"
            )
        if number:
            _check_map(number, part, parts[number - 1])
    cascades = engine.lay_together([part.cascade for part in parts], fabric)
    return SweptMapping(model, cascades[0].engine, fabric, parts, tuple(cascades))


def _check_map(number: int, part: IntegerPart, before: IntegerPart) -> None:
    """Words are looked up by the channel that an output of the part before is."""
    sweep, written = part.sweep, before.sweep.shape_out if isinstance(before.sweep, Places) else (1, 1)
    expected = (before.cascade.n_out, *written)
    if isinstance(sweep, Places) and (sweep.channels, sweep.rows, sweep.columns) != expected:
        raise MappingError.of(
            f"map (channels, rows, columns) of part {number}",
            (sweep.channels, sweep.rows, sweep.columns),
            f"{expected}, which the part before writes",
        )


def merged_sizes(sizes: Sequence[Sizes]) -> Sizes:
    """The sizes of hardware that runs what each of these runs."""

    def larger(one: Sizes, other: Sizes) -> Sizes:
        given = {each.name: (getattr(one, each.name), getattr(other, each.name)) for each in fields(one)}
        return replace(
            one,
            **{
                name: sum(pair) if name in ADDED else max(pair)
                for name, pair in given.items()
                if pair[0] is not None
            },
        )

    return reduce(larger, sizes)


def _segments(parts: Sequence[IntegerPart], mappings: Sequence[Mapping]) -> tuple[Segment, ...]:
    return tuple(
        Segment(
            number,
            mapping,
            part.sweep,
            before=mappings[number - 1] if number else None,
            final=number == len(parts) - 1,
        )
        for number, (part, mapping) in enumerate(zip(parts, mappings, strict=True))
    )


def _resized(mapping: M, sizes: Sizes) -> M:
    """The same mapping on hardware of these sizes, which are not smaller than its own."""
    resized = replace(mapping)  # type: ignore[type-var]
    # Sizes are found once, when first asked for: here they are known.
    vars(resized)["sizes"] = sizes
    return resized


def _modulo(words: Sequence[dict[str, int]], address_bits: int) -> list[dict[str, int]]:
    """The fields of segments with their addresses modulo what an address reaches."""
    return [
        {name: value % (1 << address_bits) if value < 0 else value for name, value in word.items()}
        for word in words
    ]
