"""The junctions run clock by clock, the multipliers that training needs, DSP blocks of mapped products, and
the project's own engines on the same network; and their figures beside the published ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from reports.studies.dey_reconfig2018.junction import (
    Junction,
    JunctionRun,
    clash_free_pattern,
    degrees_hold,
    is_clash_free,
    random_pattern,
    run_junction,
)
from reports.tables import Cell
from reports.write_up.predictions import compared
from reports.write_up.study_page import Findings

if TYPE_CHECKING:
    from archsim import Engine
    from workloads import Topology

ENGINE_PES = (32, 64, 160)
"""Multipliers at which the project's engines are shown: those of the second junction, as many as the first
one has outputs, and those of both junctions together."""

_PRODUCT = """
module product_{bits} (
  input clk, input signed [{top}:0] a, input signed [{top}:0] b, output reg signed [{wide}:0] p
);
  always @(posedge clk) p <= a * b;
endmodule
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A junction, its two runs, and the same one with connections drawn at random. `products` are those of a
    clock by the pass of training, `copies` how often its left activations are kept. `checked` tells whether
    no step reads a memory twice and each neuron has its edges."""

    junction: Junction
    plain: JunctionRun
    pipelined: JunctionRun
    at_random: JunctionRun
    products: Mapping[str, int]
    copies: int
    checked: bool
    sums_hold: bool


@dataclass(frozen=True)
class EngineRun:
    """One of the project's engines on the same network: clocks from start to done, closed form and
    simulated."""

    engine: str
    pes: int
    clocks: int
    simulated_clocks: int
    macs: int


@dataclass(frozen=True)
class Measured:
    """All that the report is made of. Junctions have their names, `dsps` are the DSP48E1 of one
    signed product, by bits of a factor."""

    junctions: Mapping[str, Ran]
    engines: tuple[EngineRun, ...]
    dsps: Mapping[int, int]
    device_dsps: int


def measure(content: Mapping[str, Any]) -> Measured:
    """Runs everything. Products are mapped by Yosys."""
    from archsim.technology import Artix7

    bits, number = content["parameters"]["word_bits"], len(junctions(content))
    return Measured(
        junctions={
            f"junction {place + 1}": _ran(junction, content, place, number)
            for place, junction in enumerate(junctions(content))
        },
        engines=tuple(engine_runs(content)),
        dsps=dsps_of_products((bits, 2 * bits, 32)),
        device_dsps=Artix7.devices()["XC7A100T"].available["dsp"],
    )


def junctions(content: Mapping[str, Any]) -> tuple[Junction, ...]:
    """The published junctions."""
    given = content["parameters"]
    sizes = zip(pairwise(given["layers"]), given["fan_out"], given["parallelism_z"], strict=True)
    return tuple(Junction(n_left=left, n_right=right, fan_out=out, z=z) for (left, right), out, z in sizes)


def _ran(junction: Junction, content: Mapping[str, Any], place: int, junctions: int) -> Ran:
    """The junction at a place among so many, counted from 0."""
    stated, top = content["assumptions"], 1 << (content["parameters"]["word_bits"] - 1)
    plain, pipelined = (stated[f"steps_{way}_pipeline"]["value"] for way in ("without", "with"))
    seed = stated["pattern_seed"]["value"]
    random = np.random.default_rng(seed)
    weights = random.integers(-top, top, (junction.steps, junction.z))
    left = random.integers(-top, top, junction.n_left)
    pattern = clash_free_pattern(junction, seed)
    runs = [run_junction(junction, pattern, weights, left, steps) for steps in (plain, pipelined)]
    expected = (weights * left[pattern]).reshape(junction.n_right, junction.fan_in).sum(axis=1)
    return Ran(
        junction=junction,
        plain=runs[0],
        pipelined=runs[1],
        at_random=run_junction(junction, random_pattern(junction, seed), weights, left, plain),
        products=training_products(junction, first=place == 0),
        copies=_copies(place, junctions),
        checked=is_clash_free(junction, pattern) and degrees_hold(junction, pattern),
        sums_hold=all(np.array_equal(run.sums, expected) for run in runs),
    )


def training_products(junction: Junction, *, first: bool) -> dict[str, int]:
    """Products that one clock of z edges needs, by the pass of training that makes them.

    Forward: weight x activation, one an edge. Update: the step size times the error of each right neuron
    that is worked on, and that times the activation of every edge; a bias takes the former as it is.
    Backward: weight x error and the derivative of the left activation, both an edge; inputs need no error.
    """
    z, rights = junction.z, -(-junction.z // junction.fan_in)
    return {"forward": z, "update": z + rights, "backward": 0 if first else 2 * z}


def _copies(place: int, junctions: int) -> int:
    """Blocks of clocks in which the left activations of a junction are in use: one in which they are written,
    then from their own forward pass on to the update. Forward passes of the junctions from this one on follow
    each other, then the backward ones with the updates."""
    forward, update = place, 2 * junctions - 1 - place
    return update - forward + 2


def engine_runs(content: Mapping[str, Any]) -> Iterator[EngineRun]:
    """The CSC and the Clos engine on networks of the same layers, fan-in and fan-out."""
    from workloads import random_integer_network

    bits = content["parameters"]["word_bits"]
    for engine, topology in as_cascades(junctions(content)):
        network = random_integer_network(topology, weight_bits=bits, activation_bits=bits)
        for pes in ENGINE_PES:
            mapping = engine(pes=pes, weight_bits=bits, activation_bits=bits).map(network)
            counts = mapping.count()
            yield EngineRun(engine.kind_name(), pes, counts.cycles, mapping.simulate().cycles, counts.macs)


def as_cascades(given: Sequence[Junction]) -> Iterator[tuple[type[Engine], Topology]]:
    """Engines of the project with the networks that they run of the same layers, fan-in and fan-out."""
    from archsim import Clos, Csc
    from workloads import BlockStage, CscStage, Topology

    strided = [CscStage(j.n_left, j.n_right, fan_in=j.fan_in, stride=j.n_left // j.fan_in) for j in given]
    blocks = [
        BlockStage(blocks=j.n_right // j.fan_out, block_in=j.fan_in, block_out=j.fan_out) for j in given
    ]
    for engine, stages in ((Csc, strided), (Clos, blocks)):
        yield engine, Topology(tuple((stage,) for stage in stages))


def dsps_of_products(widths: Sequence[int]) -> dict[int, int]:
    """DSP48E1 that Yosys takes for a signed product of two factors of so many bits, for each width."""
    from archsim.netlist import synthesise_fpga

    modules, ports, instances = "", "input clk", ""
    for bits in widths:
        top, wide = bits - 1, 2 * bits - 1
        modules += _PRODUCT.format(bits=bits, top=top, wide=wide)
        ports += f", input [{top}:0] a_{bits}, input [{top}:0] b_{bits}, output [{wide}:0] p_{bits}"
        instances += f"  product_{bits} of_{bits} (.clk(clk), .a(a_{bits}), .b(b_{bits}), .p(p_{bits}));\n"
    made = synthesise_fpga(f"{modules}module products ({ports});\n{instances}endmodule\n", "products")
    return {bits: made.components[f"product_{bits}"].resources["dsp"] for bits in widths}


def findings(measured: Measured, content: Mapping[str, Any]) -> Findings:
    """What the page reads. `content` is the study's data file."""
    ran, most = measured.junctions, max(run.pes for run in measured.engines)
    return Findings(
        figures={
            "junctions": ran,
            "slowest_at_random": max(ran.values(), key=lambda one: one.at_random.clocks / one.plain.clocks),
            "dsps": measured.dsps,
            "device_dsps": measured.device_dsps,
            "fastest": min((run for run in measured.engines if run.pes == most), key=lambda run: run.clocks),
            "simulated_alike": all(run.clocks == run.simulated_clocks for run in measured.engines),
        },
        predictions={
            "clocks": compared(_clocks(measured, content), content["figures"]),
            "multipliers": compared(_multipliers(measured, content), content["figures"]),
            "memories": compared(_memories(measured), content["figures"]),
            "bits": compared(_bits(measured, content), content["figures"]),
        },
        rows={
            "patterns": [
                (place, label, run.clocks, run.waits)
                for place, one in ran.items()
                for label, run in (("clash-free", one.plain), ("drawn at random", one.at_random))
            ],
            "dsp": [
                (Cell(f"{bits} x {bits} bits", f"{bits} × {bits} bits"), taken)
                for bits, taken in measured.dsps.items()
            ],
            "engines": list(_engine_rows(measured, content)),
        },
        plain={
            "engines": [vars(run) for run in measured.engines],
            "dsps_of_a_product": dict(measured.dsps),
        },
    )


Predicted = Iterator[tuple[str, Mapping[str, float]]]
"""Figures by name, with the place that they are of."""
BOTH = "both junctions"


def _clocks(measured: Measured, content: Mapping[str, Any]) -> Predicted:
    """Clocks and times of both junctions, without pipeline and with it, and what enters and is stored."""
    clock_hz, ran = content["parameters"]["clock_hz"], measured.junctions
    for place, one in ran.items():
        for way, clocks in (("without pipeline", one.plain.clocks), ("as published", one.pipelined.clocks)):
            yield place, {f"clocks {way}": clocks, f"time {way}": clocks / clock_hz}
    place, first = next(iter(ran.items()))
    pixels = first.junction.n_left * content["assumptions"]["pixel_bits"]["value"]
    yield place, {"input bits a clock": pixels / first.junction.steps}
    weights = sum(one.plain.weights_read for one in ran.values())
    dense = sum(one.junction.n_left * one.junction.n_right for one in ran.values())
    yield BOTH, {"weights": float(weights), "density": weights / dense}


def _multipliers(measured: Measured, content: Mapping[str, Any]) -> Predicted:
    """Multipliers of every pass of training, and the DSP blocks that they take."""
    dsps, ran = measured.dsps[content["parameters"]["word_bits"]], measured.junctions
    for place, one in ran.items():
        yield place, {f"{name} multipliers": number for name, number in one.products.items()}
    forward = sum(one.plain.products_a_clock for one in ran.values())
    every = sum(sum(one.products.values()) for one in ran.values())
    back = sum(one.products["backward"] for one in ran.values())
    yield (
        BOTH,
        {
            "DSP blocks, forward": forward * dsps,
            "DSP blocks, forward and backward": (forward + back) * dsps,
            "DSP blocks, all passes": every * dsps,
        },
    )


def _memories(measured: Measured) -> Predicted:
    """Memories of weights, biases and activations."""
    for place, one in measured.junctions.items():
        z, rights = one.junction.z, -(-one.junction.z // one.junction.fan_in)
        memories = {
            "weight and bias memories": one.plain.products_a_clock + rights,
            "words in each": one.plain.weights_read / z,
            "memories of left activations": z * one.copies,
        }
        yield place, memories


def _bits(measured: Measured, content: Mapping[str, Any]) -> Predicted:
    """Bits of all memories of training: weights with biases; what enters a junction, and its derivatives
    unless it is the image; and the errors of what leaves it, in two copies, one of which is summed up
    while the other is read."""
    word, pixel = content["parameters"]["word_bits"], content["assumptions"]["pixel_bits"]["value"]
    total = 0
    for place, (name, one) in enumerate(measured.junctions.items()):
        junction, first = one.junction, place == 0
        lanes = one.plain.products_a_clock + -(-junction.z // junction.fan_in)
        kept = junction.n_left * one.copies
        bits = {
            "weights and biases": lanes * junction.steps * word,
            "left activations": kept * (pixel if first else word),
            "left derivatives": 0 if first else kept * word,
            "right errors": 2 * junction.n_right * word,
        }
        total += sum(bits.values())
        yield name, {f"bits of {kind}": float(number) for kind, number in bits.items()}
    yield BOTH, {"bits of all memories": float(total)}


def _engine_rows(measured: Measured, content: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """What each design takes for one input; the edge-parallel one works on two at once."""
    ran = measured.junctions.values()
    multipliers, edges = sum(one.junction.z for one in ran), sum(one.junction.edges for one in ran)
    apart, through = max(one.plain.clocks for one in ran), sum(one.plain.clocks for one in ran)
    lines = [("edge-parallel, both junctions at once", multipliers, apart, through, edges)]
    lines += [(run.engine, run.pes, run.clocks, run.clocks, run.macs) for run in measured.engines]
    for design, pes, clocks, latency, macs in lines:
        latency_s = latency / content["parameters"]["clock_hz"]
        yield (design, pes, clocks, latency, latency_s, macs / (pes * clocks))
