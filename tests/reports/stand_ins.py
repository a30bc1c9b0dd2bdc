"""Results with round figures that nobody had to synthesise, and networks small enough to run in a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from archsim import Result
from archsim.costs.pricing import Bill, Term
from archsim.engine.counts import Counts, Traffic
from archsim.engine.mapping import StoredBits
from archsim.technology import FpgaResources
from archsim.technology.evidence import EXACT
from reports.studies.csc_dac2019.points import Point, design_points
from workloads import Calibration, Topology, TrainedNetwork, build_layer

# Energy and area of a design as multiples of those of CSC.
SIZES = {"csc": 1.0, "clos": 0.8, "pruned replicated": 3.0, "pruned banked": 2.0, "dense": 9.0}


def term(component: str, value: float, unit: str) -> Term:
    """A single addend."""
    bracket = EXACT if component.endswith("memory") else None
    return Term(component, "reads", 10.0, "words", value / 10.0, unit, "assumed", "made up", bracket)


def result(point: Point, *, times: float | None = None) -> Result:
    """A result whose energy, area and LUTs are `times` those of CSC (else those of `SIZES`)."""
    size = SIZES[point.design] if times is None else times
    design = design_points()[point]
    asic = point.technology == "cmos65"
    pruned = point.design.startswith("pruned")
    energy = [term("pe", 1e-9 * size, "J/word"), term("weight memory", 2e-9 * size, "J/word")]
    energy += [term("index_memory", 1e-9 * size, "J/word")] * pruned
    seconds = 1000 / design.clock_hz
    leakage = [] if asic else [term("device", 0.1, "W")]
    energy += [Term("device", "leakage", seconds, "seconds", 0.1, "J/s", "published", "made up")] * (not asic)
    resources = {} if asic else {"pe": FpgaResources(lut=round(100 * size), ff=100, dsp=16, bram36=4)}
    return Result(
        fidelity="gate",
        exact=True,
        clock_hz=design.clock_hz,
        counts=Counts(
            cycles=1000,
            load_cycles=10,
            interval_cycles=1010,
            macs=2000,
            traffic={"weight": Traffic(250, 0, 64)},
        ),
        bill=Bill(
            energy=tuple(energy),
            area=tuple([term("pe", 0.1 * size, "mm2")] * asic),
            leakage=tuple(leakage),
            resources=resources,
            usage={} if asic else dict.fromkeys(("lut", "ff", "dsp", "bram18", "bram36"), ()),
        ),
        stored_weights=2000,
        stored_bits=StoredBits(weight=16000, index=14000 * pruned),
        compression=1.0 if point.design == "dense" else 40.0 if point.ending else 12.5,
        accuracy=0.99 if point.design == "dense" else 0.96 if point.ending else 0.985,
        critical_path_s=5e-9,
        design=design.model_dump(),
    )


def results() -> dict[Point, Result]:
    """A result for every design point of the study."""
    return {point: result(point) for point in design_points()}


def small_network(kind: str, *, n_in: int = 12, n_out: int = 6, scale: float = 1.0) -> TrainedNetwork:
    """Two layers with random weights: `csc` or `dense`."""
    fan_in = {"fan_in": 3} if kind == "csc" else {}
    topology = Topology((build_layer(kind, n_in, n_in, **fan_in), build_layer("dense", n_in, n_out)))
    random = np.random.default_rng(7)
    weights = tuple(
        (scale * random.uniform(-1, 1, stage.weight_shape)).astype(np.float32) for stage in topology.stages
    )
    percentiles = (99.0, 99.9, 99.99, 100.0)
    return TrainedNetwork(
        name=f"small-{kind}",
        topology=topology,
        weights=weights,
        calibration=Calibration(percentiles, tuple((1.0, 1.2, 1.4, 1.5) for _ in weights)),
        recipe={},
    )


def write_design(folder: Path, name: str = "design.yaml", **changes: object) -> Path:
    """A design file of a small CSC network on two PEs, with some fields changed."""
    network = folder / "small.npz"
    if not network.exists():
        small_network("csc").save(network)
    values: dict[str, object] = {
        "network": "small.npz",
        "engine": {"kind": "csc", "pes": 2},
        "clock_hz": 1e8,
        "technology": "cmos65",
    }
    values |= changes
    path = folder / name
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path
