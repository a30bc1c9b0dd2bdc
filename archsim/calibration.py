"""Calibration: synthesises configurations drawn by seed, and fits what `archsim.estimate` charges for logic.

Two sets are drawn, one to fit and one that the fit never sees. Both are kept as measured tables beside the
coefficients, so that a fit can be repeated, and every stated error checked, without Yosys.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls
from tqdm import tqdm

from archsim.engines import Clos, Csc, Dense, Engine, Pruned
from archsim.estimate import ASIC_METRICS, FPGA_METRICS, LEAKAGE, PATH_METRIC, LogicFit, logic_fit
from archsim.gate import map_to_gates
from archsim.glitch_factors import glitch_share
from archsim.logic import LogicPart
from archsim.mapping import Mapping
from archsim.measurement import SETS, UNITS, Measurement, figure, read_measured, write_measured
from archsim.operands import Workload
from archsim.pricing import memories
from archsim.structure import Structure, paths, structures
from archsim.synthesis import YosysError
from archsim.technology import FpgaResources, Technology
from rtl import Sizes
from workloads import (
    DenseStage,
    PrunedStage,
    Stage,
    Topology,
    build_layer,
    load_network,
    quantise,
    random_integer_network,
    zoo_names,
)

NARROW = {
    "train": ((2, 2), (2, 5), (3, 5), (4, 4), (5, 3), (6, 2)),
    "held_out": ((3, 3), (4, 2), (2, 6)),
}
"""Bits of weights and activations whose products are too narrow for a DSP block, drawn for a dense engine."""

LONGEST_CYCLES, SMALL_CYCLES = 6000, 1000

METRICS = {"asic": ASIC_METRICS, "fpga": FPGA_METRICS}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a technology is calibrated on: the seed and the number of netlists of each set, and the limits of
    what is drawn, within which the stated errors hold."""

    sets: MappingOf[str, tuple[int, int]]
    largest_product: int
    widest_weight: int
    most_pes: int = 64


PLANS = {
    "cmos65": Plan(
        sets={"train": (1, 80), "held_out": (102, 25)},
        largest_product=256,
        widest_weight=16,
    ),
    "artix7": Plan(
        sets={"train": (3, 30), "held_out": (104, 12)},
        largest_product=256,
        widest_weight=16,
    ),
}


@dataclass(frozen=True)
class Configuration:
    """One engine and the network it is sized for: what is synthesised once. The weights of the network are
    normal, with a ``spread`` of so much of the largest."""

    engine: Engine
    topology: Topology
    spread: float

    def map(self) -> Mapping:
        """The network, with weights as training leaves them, on the engine."""
        engine = self.engine
        network = random_integer_network(
            self.topology,
            weight_bits=engine.weight_bits,
            activation_bits=engine.activation_bits,
            spread=self.spread,
        )
        return engine.map(network)


@dataclass(frozen=True)
class TrainedConfiguration:
    """A network of the zoo on an engine: held out beside the random ones, so that errors are stated for
    weights and activations as training leaves them."""

    engine: Engine
    network: str

    def map(self) -> Mapping:
        """The trained network on the engine."""
        engine = self.engine
        return engine.map(quantise(load_network(self.network), engine.weight_bits, engine.activation_bits))


def trained_configurations() -> list[TrainedConfiguration]:
    """The networks of the zoo, each on the engines that are made for it, with 16 PEs."""
    engines: dict[str, list[Engine]] = {
        "dense": [Dense(pes=16)],
        "csc": [Csc(pes=16)],
        "clos": [Clos(pes=16)],
        "pruned": [Pruned(pes=16, gather="replicated"), Pruned(pes=16, gather="banked")],
    }
    return [
        TrainedConfiguration(engine, name)
        for name in zoo_names()
        for family, made in engines.items()
        if f"-{family}" in name
        for engine in made
    ]


@dataclass(frozen=True)
class Error:
    """How far the estimated totals of a metric lie from the measured ones: mean and largest absolute relative
    error, and the configuration of the largest."""

    metric: str
    mean: float
    worst: float
    worst_case: str


def calibrate(technology: Technology, directory: Path) -> tuple[Error, ...]:
    """Synthesises what the technology's plan says, fits, writes the data files to ``directory``, and returns
    the errors on the held-out netlists.

    About a quarter of an hour of one core for each technology where nothing is cached; an interrupted run
    goes on where it stopped.
    """
    plan = PLANS[technology.name]
    measured = {label: measure(configurations(plan, label), technology, label) for label in SETS}
    return write_fit(technology, measured, directory)


def held_out_errors(technology: Technology) -> tuple[Error, ...]:
    """The errors of the stored fit on the stored netlists that it never saw; nothing is synthesised."""
    stored = read_measured(technology.name)
    return errors(stored["held_out"], logic_fit(technology.name), technology)


def configurations(plan: Plan, label: str) -> list[Configuration | TrainedConfiguration]:
    """All that one set of a plan is measured on: what is drawn, and trained networks among the held out."""
    return [*draw(plan, label), *(trained_configurations() if label == "held_out" else ())]


def draw(plan: Plan, label: str) -> list[Configuration]:
    """The configurations of one set of a plan, the same each time.

    The engines take turns, the pruned one with both of its gathers. The numbers of PEs of an engine are
    spread evenly in log over 1 to ``most_pes`` (half of that for a banked gather, whose crossbar grows with
    the square). Weights and activations have 4 to 16 bits, each 8 in a third of the draws, and their product
    is ``largest_product`` at most; where the weight is wider than ``widest_weight`` the two change places.
    A fetch has 16 to 128 bits. After these come the engines of `NARROW`.
    """
    seed, count = plan.sets[label]
    random = np.random.default_rng(seed)
    turns = math.ceil(count / len(_DRAWN))
    strata = {kind: random.permutation(turns) for kind in _DRAWN}
    drawn = []
    for number in range(count):
        kind = list(_DRAWN)[number % len(_DRAWN)]
        limit = plan.most_pes // 2 if kind == "banked" else plan.most_pes
        share = (strata[kind][number // len(_DRAWN)] + random.random()) / turns
        make, layers = _DRAWN[kind]
        options: dict[str, Any] = {
            "pes": min(limit, int((limit + 1) ** share)),
            **_word_bits(random, plan.largest_product, plan.widest_weight),
            "fetch_bits": int(random.choice([16, 32, 64, 128])),
        }
        if make is Pruned:
            options["gather"] = kind
        chosen = make(**options)
        drawn.append(Configuration(chosen, _topology(random, layers, chosen.pes), _spread(random)))
    for weight, activation in NARROW[label]:
        engine = Dense(pes=2, weight_bits=weight, activation_bits=activation)
        drawn.append(Configuration(engine, _topology(random, _dense, 2), _spread(random)))
    return drawn


def draw_small(weight_bits: int, activation_bits: int, *, pes: int = 4) -> list[Configuration]:
    """A small engine of every kind with these word widths, the same each time."""
    random = np.random.default_rng(weight_bits * 100 + activation_bits)
    drawn = []
    for kind, (make, layers) in _DRAWN.items():
        gather = {"gather": kind} if make is Pruned else {}
        engine = make(pes=pes, weight_bits=weight_bits, activation_bits=activation_bits, **gather)
        drawn.append(Configuration(engine, _topology(random, layers, pes, SMALL_CYCLES), _spread(random)))
    return drawn


def _topology(
    random: np.random.Generator, layers: Any, pes: int, most_cycles: int = LONGEST_CYCLES
) -> Topology:
    """Layers that keep each PE busy for so many cycles at most, so that a run of the hardware stays short."""
    while True:
        drawn = Topology(tuple(layers(random)))
        if drawn.stored_weights <= most_cycles * pes:
            return drawn


def _spread(random: np.random.Generator) -> float:
    """The spread of the weights over their largest value, as in the networks of the zoo: 0.1 to 0.43."""
    return float(np.exp(random.uniform(np.log(0.1), np.log(0.45))))


def measure(
    measured_on: Sequence[Configuration | TrainedConfiguration], technology: Technology, label: str
) -> list[Measurement]:
    """Synthesises each configuration in one technology, and leaves out, aloud, what Yosys fails on (its ABC
    crashes on a single-PE Clos engine for an FPGA). What was synthesised before comes from the cache, so an
    interrupted run goes on where it stopped."""
    found = []
    for configuration in tqdm(measured_on, desc=f"{technology.name} {label}", unit="netlist"):
        mapping = configuration.map()
        try:
            logic = map_to_gates(mapping, technology)
            workload = mapping.workload if technology.kind == "asic" else None
            found.append(Measurement(mapping.sizes, logic, workload))
        except YosysError as error:
            tqdm.write(f"left out {mapping.sizes}: {error}")
    return found


def fit(measurements: Sequence[Measurement], kind: str) -> LogicFit:
    """Non-negative least squares on the relative errors of each component, family by family.

    An amount that nothing was charged for is left out.
    """
    samples: dict[str, list[_Sample]] = {}
    for measurement in measurements:
        parts = {part.component: part for part in measurement.logic.parts}
        for structure in structures(measurement.sizes):
            if structure.component in parts:
                sample = _Sample(structure, parts[structure.component], measurement.workload)
                samples.setdefault(structure.family, []).append(sample)
    coefficients = {
        family: {metric: _charge(found, metric, kind) for metric in METRICS[kind]}
        for family, found in samples.items()
    }
    for family, costs in _path_delays(measurements).items():
        coefficients.setdefault(family, {})[PATH_METRIC] = costs
    constants = {"netlists": float(len(measurements))}
    if kind == "asic":
        everything = [part for measurement in measurements for part in measurement.logic.parts]
        constants[LEAKAGE] = sum(p.leakage_w for p in everything) / sum(p.area_mm2 for p in everything)
    return LogicFit(coefficients, constants, f"fitted to {len(measurements)} netlists")


def _path_delays(measurements: Sequence[Measurement]) -> dict[str, dict[str, float]]:
    """The delay of each kind of path, from the netlists in which it is the longest."""
    longest: dict[str, list[tuple[dict[str, float], float]]] = {}
    for measurement in measurements:
        through_pe, control = paths(measurement.sizes).items()
        family, amounts = through_pe if measurement.ends_in_pe else control
        longest.setdefault(family, []).append((amounts, measurement.logic.critical_path_s or 0.0))
    return {
        family: _non_negative([row for row, _ in found], [delay for _, delay in found])
        for family, found in longest.items()
    }


@dataclass(frozen=True)
class _Sample:
    """One component of one netlist: what it is made of, what came out, and at which work."""

    structure: Structure
    part: LogicPart
    workload: Workload | None


def _charge(samples: Sequence[_Sample], metric: str, kind: str) -> dict[str, float]:
    """What each amount of one family costs."""
    rows = [each.structure.charged(metric, kind, each.workload) for each in samples]
    return _non_negative(rows, [figure(each.part, metric) / each.part.instances for each in samples])


def _non_negative(rows: Sequence[MappingOf[str, float]], figures: Sequence[float]) -> dict[str, float]:
    names, each = list(rows[0]), np.array(figures)
    if not (names and each.any()):
        return {}
    amounts = np.array([[float(row[name]) for name in names] for row in rows])
    # Figures below a fiftieth of the largest count as that, so that the smallest do not rule the fit.
    weight = 1 / np.maximum(each, each.max() / 50)
    costs, _ = nnls(amounts * weight[:, None], each * weight)
    return {
        name: float(f"{cost:.5g}")
        for name, cost in zip(names, costs, strict=True)
        if cost * amounts.max() > 1e-6 * each.max()
    }


def errors(
    measurements: Sequence[Measurement], fitted: LogicFit, technology: Technology
) -> tuple[Error, ...]:
    """The errors of the totals of every metric over some netlists."""
    found = []
    for metric, total in _totals(technology).items():
        signed = []
        for each in measurements:
            estimate = fitted.logic(each.sizes, each.workload, technology.kind)
            measured, estimated = total(each), total(Measurement(each.sizes, estimate, each.workload))
            signed.append(estimated / measured - 1 if measured else float(estimated != 0))
        worst, case = max(zip(signed, measurements, strict=True), key=lambda pair: abs(pair[0]))
        mean = float(np.mean(np.abs(signed)))
        found.append(Error(metric, mean, abs(worst), f"{case.name} ({worst:+.1%})"))
    return tuple(found)


def _totals(technology: Any) -> dict[str, Callable[[Measurement], float]]:
    """The metrics of which errors are stated. ``energy_j`` is what the logic takes for one inference with its
    glitches, ``switching_j`` that without its clock. An FPGA's resources are those of logic and memories."""
    if technology.kind == "fpga":

        def resources(each: Measurement) -> FpgaResources:
            taken = [part.resources for part in each.logic.parts]
            if each.logic.memory_resources is None:
                taken += [cost.resources * number for _, number, cost in memories(each.sizes, technology)]
            else:
                taken.append(each.logic.memory_resources)
            return sum(taken, FpgaResources())

        return {
            metric: lambda each, m=metric: float(getattr(resources(each), m))
            for metric in (*FPGA_METRICS, "dsp", "bram18", "bram36")
        } | {PATH_METRIC: lambda each: each.logic.critical_path_s or 0.0}

    def glitching(part: LogicPart, sizes: Sizes) -> float:
        return 1 + glitch_share(technology.glitches, part.component, sizes)[0]

    def clock_j(each: Measurement) -> float:
        assert each.workload is not None
        return each.workload.cycles * sum(p.clock_energy_j for p in each.logic.parts)

    def switching_j(each: Measurement) -> float:
        assert each.workload is not None
        return sum(
            p.active_cycles(each.workload)
            * (glitching(p, each.sizes) * p.gate_switching_j + p.register_switching_j)
            for p in each.logic.parts
        )

    return {
        "area_mm2": lambda each: sum(p.area_mm2 for p in each.logic.parts),
        "energy_j": lambda each: clock_j(each) + switching_j(each),
        "clock_energy_j": clock_j,
        "switching_j": switching_j,
        "leakage_w": lambda each: sum(p.leakage_w for p in each.logic.parts),
        PATH_METRIC: lambda each: each.logic.critical_path_s or 0.0,
    }


def write_fit(
    technology: Technology, measured: dict[str, list[Measurement]], directory: Path
) -> tuple[Error, ...]:
    """Fits the training set and writes coefficients, measurements and held-out errors of one technology."""
    fitted = fit(measured["train"], technology.kind)
    held_out = errors(measured["held_out"], fitted, technology)
    name, count = technology.name, (len(measured["train"]), len(measured["held_out"]))
    source = (
        f"Non-negative least squares on {count[0]} netlists mapped by Yosys "
        f"(logic_fit_{name}_measured.csv, set train), by archsim.calibration"
    )
    unseen = (
        f"The {count[1]} netlists of logic_fit_{name}_measured.csv, set held_out, which the fit never saw"
    )
    lines = [f"title: Logic of the engines on {name}, fitted, and its errors", "quantities:"]

    def entry(quantity: str, value: float, unit: str, kind: str, origin: str) -> None:
        lines.append(f"  {quantity}: {{value: {value:.6e}, unit: {unit}, kind: {kind}, source: {origin}}}")

    entry("netlists", count[0], '"1"', "measured", f'&fit "{source}"')
    entry("held_out_netlists", count[1], '"1"', "measured", f'&unseen "{unseen}"')
    for error in held_out:
        entry(f"held_out_mean/{error.metric}", error.mean, '"1"', "measured", "*unseen")
        origin = f'"{unseen}; worst at {error.worst_case}"'
        entry(f"held_out_worst/{error.metric}", error.worst, '"1"', "measured", origin)
    if technology.kind == "asic":
        entry(LEAKAGE, fitted.constants[LEAKAGE], "W/mm2", "fitted", "*fit")
    for family, metrics in fitted.coefficients.items():
        for metric, costs in metrics.items():
            for amount, cost in costs.items():
                entry(f"{family}/{metric}/{amount}", cost, UNITS[metric], "fitted", "*fit")
    (directory / f"logic_fit_{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_measured(name, technology.kind, measured, directory)
    return held_out


def _word_bits(random: np.random.Generator, largest_product: int, widest_weight: int) -> dict[str, int]:
    while True:
        weight, activation = (8 if random.random() < 1 / 3 else int(random.integers(4, 17)) for _ in range(2))
        if weight * activation <= largest_product:
            if weight > widest_weight:
                weight, activation = activation, weight
            return {"weight_bits": weight, "activation_bits": activation}


def _log_uniform(random: np.random.Generator, least: int, most: int) -> int:
    return round(float(np.exp(random.uniform(np.log(least), np.log(most)))))


def _widths(random: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Inputs and outputs of two or three layers, up to the widths of LeNet-300-100."""
    between = [_log_uniform(random, 30, 300) for _ in range(random.integers(1, 3))]
    widths = [_log_uniform(random, 30, 784), *between, _log_uniform(random, 4, 100)]
    return itertools.pairwise(widths)


def _dense(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    for n_in, n_out in _widths(random):
        yield (DenseStage(n_in, n_out),)


def _csc(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    for n_in, n_out in _widths(random):
        yield build_layer(
            "csc", n_in, n_out, fan_in=_log_uniform(random, 2, 30), depth=int(random.integers(1, 4))
        )


def _clos(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    ingress, n_in = (blocks := _log_uniform(random, 2, 28)), blocks * _log_uniform(random, 2, 28)
    for _ in range(random.integers(2, 4)):
        egress, middle = _log_uniform(random, 2, 20), _log_uniform(random, 2, 16)
        n_out = egress * _log_uniform(random, 2, 16)
        yield build_layer("clos", n_in, n_out, ingress=ingress, middle=middle, egress=egress)
        ingress, n_in = egress, n_out


def _pruned(random: np.random.Generator) -> Iterator[tuple[Stage, ...]]:
    for n_in, n_out in _widths(random):
        density = float(np.exp(random.uniform(np.log(0.03), np.log(0.4))))
        yield (PrunedStage.from_mask(random.random((n_out, n_in)) < density),)


_DRAWN: dict[str, tuple[Any, Any]] = {
    "dense": (Dense, _dense),
    "csc": (Csc, _csc),
    "clos": (Clos, _clos),
    "replicated": (Pruned, _pruned),
    "banked": (Pruned, _pruned),
}
