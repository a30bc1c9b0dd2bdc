"""What a technology is calibrated on: engines and networks drawn by seed, and trained networks held out."""

from __future__ import annotations

import math
from collections.abc import Mapping as MappingOf
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, get_args, get_origin

import numpy as np
from pydantic import ValidationError

from archsim.calibration.digits import with_digits
from archsim.engine import Dense, Engine, engines
from archsim.engine.draws import TypicalDraws
from archsim.engine.mapping import Mapping
from workloads import Topology, load_network, quantise, random_integer_network, zoo_names

NARROW = {"train": ((2, 2), (2, 5), (3, 5), (4, 4), (5, 3), (6, 2)), "held_out": ((3, 3), (4, 2), (2, 6))}
"""Bits of weights and activations whose products are too narrow for a DSP block, drawn for a dense engine."""

FLAGS = ("product_register", "operand_isolation", "zero_gating", "input_buffer")
"""What an engine may have or not."""

LONGEST_CYCLES, SMALL_CYCLES = 6000, 1000

TURNS = ("dense", "csc", "clos", "pruned")
"""The engines of the shipped tables, in the order in which they took turns."""

LATER = ("scheduled",)
"""Organisations of those engines that came later. They, and engines that are not in `TURNS`, are drawn after
everything, from numbers of their own, so that they move none of the others."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a technology is calibrated on: the seed and the number of netlists of each set, and the limits of
    what is drawn, within which the stated errors hold. `more` to fit are drawn after the first, by a seed of
    their own: where a netlist tells only its longest path, each kind of path is seen in few. So are small
    engines of every kind with these bits of weights and activations, as what is drawn has few of 2 PEs. And
    so are engines of a stage `alone`, of so many bits of weights and activations and so many PEs: its sums
    are the scores, so that nothing is requantised, and the longest path is one that is hidden in others."""

    sets: MappingOf[str, tuple[int, int]]
    more: tuple[int, int] | None = None
    small: tuple[tuple[int, int], ...] = ()
    alone: MappingOf[str, tuple[tuple[int, int, int], ...]] = field(default_factory=dict)
    largest_product: int
    widest_weight: int
    most_pes: int = 64


PLANS = {
    "cmos65": Plan(
        sets={"train": (1, 120), "held_out": (302, 30)},
        more=(305, 40),
        largest_product=256,
        widest_weight=16,
    ),
    "artix7": Plan(
        sets={"train": (3, 35), "held_out": (204, 15)},
        more=(205, 40),
        small=((8, 7), (6, 8), (7, 10), (10, 9)),
        alone={"train": ((8, 8, 1), (6, 7, 4), (10, 9, 12), (7, 12, 24)), "held_out": ((8, 8, 6),)},
        largest_product=256,
        widest_weight=16,
    ),
}


class Measurable(Protocol):
    """What can be laid on an engine and synthesised."""

    def map(self, fabric: str = "asic") -> Mapping: ...


@dataclass(frozen=True)
class Configuration:
    """One engine and the network it is sized for: what is synthesised once. The weights of the network are
    normal, with a `spread` of so much of the largest; with `biased` half of its stages have biases."""

    engine: Engine
    topology: Topology
    spread: float
    biased: bool = False

    def map(self, fabric: str = "asic") -> Mapping:
        """The network, with weights as training leaves them and digits to run on, on the engine."""
        engine = self.engine
        network = random_integer_network(
            self.topology,
            weight_bits=engine.weight_bits,
            activation_bits=engine.activation_bits,
            spread=self.spread,
            bias_share=0.5 if self.biased else 0.0,
        )
        return engine.map(with_digits(network), fabric)


@dataclass(frozen=True)
class TrainedConfiguration:
    """A network of the zoo on an engine: held out beside the random ones, so that errors are stated for
    weights and activations as training leaves them."""

    engine: Engine
    network: str

    def map(self, fabric: str = "asic") -> Mapping:
        """The trained network on the engine."""
        engine = self.engine
        integer = quantise(load_network(self.network), engine.weight_bits, engine.activation_bits)
        return engine.map(integer, fabric)


def in_turn() -> list[type[Engine]]:
    """The engines in the order in which they take turns: those of the shipped tables, then any others."""
    return [engines[name] for name in [*TURNS, *sorted(set(engines) - set(TURNS))]]


def trained_configurations() -> list[TrainedConfiguration]:
    """The networks of the zoo that are named by their family alone, at two sizes, each on the engines that it
    was trained for, with 16 PEs. What others differ in, narrow weights and the order of inputs, random
    networks have too."""
    return [
        TrainedConfiguration(make.model_validate({"pes": 16, **options}), name)
        for name in zoo_names()
        for make in in_turn()
        for options in make.organisations().values()
        if name.removesuffix("-x40") == f"lenet-300-100-{make.trained_for or make.kind_name()}"
    ]


def configurations(plan: Plan, label: str) -> list[Configuration | TrainedConfiguration]:
    """All that one set of a plan is measured on: what is drawn, and small engines of every kind, held out
    those of 8 bits; and among the held out trained networks."""
    alone = [one for words in plan.alone.get(label, ()) for one in draw_alone(*words)]
    if label == "held_out":
        return [*draw(plan, label), *draw_small(8, 8, pes=2), *trained_configurations(), *alone]
    return [*draw(plan, label), *(one for bits in plan.small for one in draw_small(*bits, pes=2)), *alone]


def draw(plan: Plan, label: str) -> list[Configuration]:
    """The configurations of one set of a plan, the same each time.

    The engines take turns, one with several organisations with each of them. The numbers of PEs are spread
    evenly in log over 1 to `most_pes` (half of that for a gather from banks, whose crossbar grows with the
    square). Weights and activations have 4 to 16 bits, each 8 in a third of the draws, and their product is
    `largest_product` at most; where the weight is wider than `widest_weight` the two change places. A fetch
    has 16 to 128 bits. What an engine may have or not, and words for its own options, it has in a third of
    the draws. After these come the engines of `NARROW`, organisations of `LATER`, and engines that are not in
    `TURNS`.
    """
    seed, count = plan.sets[label]
    random = np.random.default_rng(seed)
    every = [(engines[name], kind) for name in TURNS for kind in engines[name].organisations()]
    shipped = [(make, kind) for make, kind in every if kind not in LATER]
    drawn = _drawn_in_turn(random, plan, shipped, count)
    for weight, activation in NARROW[label]:
        engine = Dense(pes=2, weight_bits=weight, activation_bits=activation)
        drawn.append(_sized(random, engine))
    sets = [(seed, count)]
    if plan.more is not None and label == "train":
        sets.append(plan.more)
        drawn += _drawn_in_turn(np.random.default_rng(plan.more[0]), plan, shipped, plan.more[1])
    added = [(make, kind) for make in in_turn()[len(TURNS) :] for kind in make.organisations()]
    for later in [*(one for one in every if one[1] in LATER), *added]:
        for seed, count in sets:
            turns = math.ceil(count / len(shipped))
            drawn += _drawn_in_turn(np.random.default_rng(seed), plan, [later], turns)
    return drawn


def _drawn_in_turn(
    random: np.random.Generator, plan: Plan, kinds: list[tuple[type[Engine], str]], count: int
) -> list[Configuration]:
    turns = math.ceil(count / len(kinds))
    strata = [random.permutation(turns) for _ in kinds]
    drawn = []
    for number in range(count):
        turn, at = divmod(number, len(kinds))
        make, kind = kinds[at]
        limit = plan.most_pes // 2 if kind in make.crossed else plan.most_pes
        share = (strata[at][turn] + random.random()) / turns
        pes = min(limit, int((limit + 1) ** share))
        engine = _drawn_engine(random, plan, make, {"pes": pes, **make.organisations()[kind]})
        drawn.append(replace(_sized(random, engine), biased=_in_a_third(random)))
    return drawn


def _drawn_engine(
    random: np.random.Generator, plan: Plan, make: type[Engine], given: MappingOf[str, Any]
) -> Engine:
    """An engine as `given`, else as drawn: anew until its words fit into a fetch."""
    while True:
        options: dict[str, Any] = {
            **_word_bits(random, plan.largest_product, plan.widest_weight),
            "fetch_bits": int(random.choice([16, 32, 64, 128])),
            **{flag: _in_a_third(random) and flag not in make.unused for flag in FLAGS},
            "requantiser": "each" if _in_a_third(random) else "auto",
            **given,
        }
        with suppress(ValidationError):
            return make.model_validate(_with_own(random, make, options))


def _with_own(random: np.random.Generator, make: type[Engine], options: dict[str, Any]) -> dict[str, Any]:
    """The options, with any of what it lets be drawn for each of an engine's own ones, or any of its words,
    in a third of the draws, as far as they go together."""
    own: dict[str, Any] = {}
    for name in sorted(make.model_fields.keys() - Engine.model_fields.keys() - options.keys()):
        kinds = _kinds(make.model_fields[name].annotation)
        words = [word for kind in kinds for word in get_args(kind) if isinstance(word, str)]
        allowed = make.drawn.get(name, words)
        if (len(allowed) > 1 or name not in make.drawn) and allowed and _in_a_third(random):
            own[name] = allowed[int(random.integers(len(allowed)))]
    try:
        make.model_validate(options | own)
    except ValidationError:
        return options
    return options | own


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The kinds that a field takes: of a union each, else itself."""
    return get_args(annotation) if get_origin(annotation) is not Literal else (annotation,)


def _in_a_third(random: np.random.Generator) -> bool:
    return bool(random.random() < 1 / 3)


def draw_small(weight_bits: int, activation_bits: int, *, pes: int = 4) -> list[Configuration]:
    """A small engine of every kind with these word widths, the same each time."""
    return _of_every_kind(weight_bits, activation_bits, pes, SMALL_CYCLES)


def draw_alone(weight_bits: int, activation_bits: int, pes: int) -> list[Configuration]:
    """An engine of every kind with these word widths for a network of one stage, the same each time."""
    return _of_every_kind(weight_bits, activation_bits, pes, LONGEST_CYCLES, alone=True)


def _of_every_kind(
    weight_bits: int, activation_bits: int, pes: int, most_cycles: int, *, alone: bool = False
) -> list[Configuration]:
    random = np.random.default_rng(weight_bits * 100 + activation_bits)
    bits = {"pes": pes, "weight_bits": weight_bits, "activation_bits": activation_bits}
    return [
        _sized(random, make.model_validate({**bits, **options}), most_cycles, alone=alone)
        for make in in_turn()
        for options in make.organisations().values()
    ]


def _sized(
    random: np.random.Generator, engine: Engine, most_cycles: int = LONGEST_CYCLES, *, alone: bool = False
) -> Configuration:
    """The engine with layers that keep each PE busy for so many cycles at most, so that a run of the hardware
    stays short, and weights of a spread as in the networks of the zoo: 0.1 to 0.43. A stage `alone` is the
    first of them."""
    draws = TypicalDraws(random)
    while True:
        topology = Topology(tuple(type(engine).layers(draws)))
        topology = Topology(((topology.stages[0],),)) if alone else topology
        if topology.stored_weights <= most_cycles * engine.pes:
            return Configuration(engine, topology, draws.share(0.1, 0.45))


def _word_bits(random: np.random.Generator, largest_product: int, widest_weight: int) -> dict[str, int]:
    while True:
        weight, activation = (8 if random.random() < 1 / 3 else int(random.integers(4, 17)) for _ in range(2))
        if weight * activation <= largest_product:
            if weight > widest_weight:
                weight, activation = activation, weight
            return {"weight_bits": weight, "activation_bits": activation}
