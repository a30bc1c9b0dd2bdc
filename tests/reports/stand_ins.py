"""Results with round figures that nobody had to synthesise, and networks small enough to run in a test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from archsim import DesignPoint, Result, engines
from archsim.costs.pricing import Bill, Term
from archsim.engine.counts import Counts, Traffic
from archsim.engine.mapping import StoredBits
from archsim.explore.search.settings import Found
from archsim.technology import FpgaResources
from archsim.technology.evidence import EXACT
from reports.studies.csc_dac2019.points import FAMILY, SIZES as POINT_SIZES, TECHNOLOGIES, Point
from workloads import Calibration, Topology, TrainedNetwork, build_layer

# Energy and area of a design as multiples of those of CSC.
SIZES = {
    "csc": 1.0,
    "clos": 0.8,
    "pruned replicated": 3.0,
    "pruned banked": 2.0,
    "dense": 9.0,
    "deformable-butterfly": 0.9,
}
ACCURACY = {"csc": 0.985, "clos": 0.986, "pruned": 0.985, "dense": 0.99, "deformable-butterfly": 0.986}
ENDINGS = {"": (12.5, 0.0), "-x40": (40.0, -0.025)}
"""Compression of a network, and what of its accuracy that costs."""
INDEXED = {"replicated": {"gather": "replicated"}, "banked": {"gather": "banked"}}


def point(technology: str, name: str, ending: str = "") -> Point:
    """The design of this name in the study: a network, or how a pruned one is gathered."""
    network, _, gather = name.partition(" ")
    engine = {"deformable-butterfly": "clos"}.get(network, network)
    return Point(technology, f"{FAMILY}{network}{ending}", f"{engine} {gather}".strip())


def points() -> list[Point]:
    """Every design point of the study that is mapped."""
    return [
        point(technology, name, ending)
        for technology in TECHNOLOGIES
        for name in SIZES
        for ending in ENDINGS
        if not (name == "dense" and ending)
    ]


def design(at: Point) -> DesignPoint:
    """A design point with the settings that a search might find."""
    clock_hz, kind = TECHNOLOGIES[at.technology]
    name, _, gather = at.design.partition(" ")
    options: dict[str, Any] = {"kind": name, **INDEXED.get(gather, {}), **POINT_SIZES}
    engine = engines[name](**options).settled("asic")
    return DesignPoint(network=at.network, engine=engine, clock_hz=clock_hz, technology=dict(kind))


def designs() -> dict[Point, DesignPoint]:
    """The design points that are mapped."""
    return {at: design(at) for at in points()}


def term(component: str, value: float, unit: str, what: str = "reads") -> Term:
    """A single addend."""
    bracket = EXACT if component.endswith("memory") else None
    return Term(component, what, 10.0, "words", value / 10.0, unit, "assumed", "made up", bracket)


def result(at: Point, *, times: float | None = None) -> Result:
    """A result whose energy, area and LUTs are `times` those of CSC (else those of `SIZES`)."""
    stem, _, _ = at.short.partition("-x")
    size = SIZES[at.design if stem == "pruned" else stem] if times is None else times
    compression, loss = ENDINGS["-x40" if at.network.endswith("-x40") else ""]
    own, asic, pruned = design(at), at.technology == "cmos65", at.design.startswith("pruned")
    energy = [term("pe", 1e-9 * size, "J/word", "gates"), term("weight memory", 2e-9 * size, "J/word")]
    energy += [term("index_memory", 1e-9 * size, "J/word")] * pruned
    clock_hz = own.clock_hz
    assert isinstance(clock_hz, float)
    seconds = 1000 / clock_hz
    leakage = [] if asic else [term("device", 0.1, "W")]
    energy += [Term("device", "leakage", seconds, "seconds", 0.1, "J/s", "published", "made up")] * (not asic)
    resources = {} if asic else {"pe": FpgaResources(lut=round(100 * size), ff=100, dsp=16, bram36=4)}
    return Result(
        fidelity="gate",
        exact=True,
        clock_hz=clock_hz,
        counts=Counts(
            cycles=1000,
            load_cycles=10,
            interval_cycles=1010,
            macs=2000,
            traffic={"weight": Traffic(250, 0, 64), "activation_0": Traffic(8, 4, 8)},
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
        compression=1.0 if stem == "dense" else compression,
        accuracy=ACCURACY[stem] + loss,
        critical_path_s=5e-9 * size,
        design=own.model_dump(),
    )


def results() -> dict[Point, Result]:
    """A result for every design point of the study that is mapped."""
    return {at: result(at) for at in points()}


def searched() -> dict[Point, Found]:
    """What a search found: the designs that are mapped, and in 65 nm every network by indices too."""
    more = [
        Point("cmos65", at.network, f"pruned {gather}")
        for at in points()
        if at.technology == "cmos65" and not at.design.startswith("pruned")
        for gather in INDEXED
    ]
    dear = {at: result(at, times=20.0) for at in more}
    return {
        at: Found(design(at), found, replace(found, bill=replace(found.bill, area=found.bill.area * 2)), 12)
        for at, found in (results() | dear).items()
    }


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
