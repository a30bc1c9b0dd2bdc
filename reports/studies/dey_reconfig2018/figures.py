"""What the reproduction measures: the junctions run clock by clock, the multipliers that training needs, DSP
blocks of mapped products, and the project's own engines on the same network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

NAME = "dey-reconfig2018"
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


@dataclass(frozen=True)
class Ran:
    """A junction, its two runs, the same one with connections drawn at random, and what was checked: that no
    step reads a memory twice, that each neuron has its edges, and that the sums are right."""

    junction: Junction
    plain: JunctionRun
    pipelined: JunctionRun
    at_random: JunctionRun
    clash_free: bool
    degrees_hold: bool
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
    """All that the report is made of. `dsps` are the DSP48E1 of one signed product, by bits of a factor."""

    junctions: tuple[Ran, ...]
    engines: tuple[EngineRun, ...]
    dsps: Mapping[int, int]
    device_dsps: int


def measure(content: Mapping[str, Any]) -> Measured:
    """Runs everything. Products are mapped by Yosys."""
    from archsim.technology import Artix7

    bits = content["parameters"]["word_bits"]
    return Measured(
        junctions=tuple(_ran(junction, content) for junction in junctions(content)),
        engines=engine_runs(content),
        dsps=dsps_of_products((bits, 2 * bits, 32)),
        device_dsps=Artix7.devices()["XC7A100T"].available["dsp"],
    )


def junctions(content: Mapping[str, Any]) -> tuple[Junction, ...]:
    """The published junctions."""
    given = content["parameters"]
    layers = given["layers"]
    return tuple(
        Junction(n_left=left, n_right=right, fan_out=fan_out, z=z)
        for left, right, fan_out, z in zip(
            layers[:-1], layers[1:], given["fan_out"], given["parallelism_z"], strict=True
        )
    )


def _ran(junction: Junction, content: Mapping[str, Any]) -> Ran:
    stated, bits = content["assumptions"], content["parameters"]["word_bits"]
    seed, top = stated["pattern_seed"]["value"], 1 << (bits - 1)
    plain, pipelined = (stated[f"steps_{way}_pipeline"]["value"] for way in ("without", "with"))
    random = np.random.default_rng(seed)
    weights = random.integers(-top, top, (junction.steps, junction.z))
    left = random.integers(-top, top, junction.n_left)
    pattern = clash_free_pattern(junction, seed)
    runs = [run_junction(junction, pattern, weights, left, steps) for steps in (plain, pipelined)]
    expected = (weights * left[pattern]).reshape(junction.n_right, junction.fan_in).sum(axis=1)
    return Ran(
        junction,
        runs[0],
        runs[1],
        run_junction(junction, random_pattern(junction, seed), weights, left, plain),
        is_clash_free(junction, pattern),
        degrees_hold(junction, pattern),
        all(np.array_equal(run.sums, expected) for run in runs),
    )


def training_products(junction: Junction, *, first: bool) -> dict[str, int]:
    """Products that one clock of z edges needs, by the pass of training that makes them.

    Forward: weight x activation, one an edge. Update: the step size times the error of each right neuron
    that is worked on, and that times the activation of every edge; a bias takes the former as it is.
    Backward: weight x error and the derivative of the left activation, both an edge; inputs need no error.
    """
    rights = -(-junction.z // junction.fan_in)
    return {
        "forward": junction.z,
        "update": junction.z + rights,
        "backward": 0 if first else 2 * junction.z,
    }


def engine_runs(content: Mapping[str, Any]) -> tuple[EngineRun, ...]:
    """The CSC and the Clos engine on networks of the same layers, fan-in and fan-out."""
    from archsim import Clos, Csc
    from workloads import BlockStage, CscStage, Topology, random_integer_network

    bits = content["parameters"]["word_bits"]
    found = []
    for engine, stages in (
        (
            Csc,
            [
                CscStage(j.n_left, j.n_right, fan_in=j.fan_in, stride=j.n_left // j.fan_in)
                for j in junctions(content)
            ],
        ),
        (
            Clos,
            [
                BlockStage(blocks=j.n_right // j.fan_out, block_in=j.fan_in, block_out=j.fan_out)
                for j in junctions(content)
            ],
        ),
    ):
        network = random_integer_network(
            Topology(tuple((stage,) for stage in stages)), weight_bits=bits, activation_bits=bits
        )
        for pes in ENGINE_PES:
            mapping = engine(pes=pes, weight_bits=bits, activation_bits=bits).map(network)
            counts = mapping.count()
            found.append(
                EngineRun(engine.kind_name(), pes, counts.cycles, mapping.simulate().cycles, counts.macs)
            )
    return tuple(found)


def dsps_of_products(widths: Sequence[int]) -> dict[int, int]:
    """DSP48E1 that Yosys takes for a signed product of two factors of so many bits, for each width."""
    from archsim.netlist import synthesise_fpga

    modules = [_PRODUCT.format(bits=bits, top=bits - 1, wide=2 * bits - 1) for bits in widths]
    ports, instances = ["input clk"], []
    for bits in widths:
        ports += [f"input [{bits - 1}:0] {name}_{bits}" for name in "ab"]
        ports.append(f"output [{2 * bits - 1}:0] p_{bits}")
        instances.append(f"  product_{bits} of_{bits} (.clk(clk), .a(a_{bits}), .b(b_{bits}), .p(p_{bits}));")
    top = "\n".join([f"module products ({', '.join(ports)});", *instances, "endmodule", ""])
    made = synthesise_fpga("".join(modules) + top, "products")
    return {bits: made.components[f"product_{bits}"].resources["dsp"] for bits in widths}
