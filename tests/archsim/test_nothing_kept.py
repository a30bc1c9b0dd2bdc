"""A network, or a layer of one, that keeps no weight is costed like any other, and no ratio divides by
nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import archsim as a
from reports.formatting import ratio
from workloads import Calibration, PrunedStage, Topology, TrainedNetwork

KEPT = {"none": (0, 0), "no first layer": (0, 20), "no last layer": (30, 0)}
"""Weights of the two layers of a network."""


def stage(n_in: int, n_out: int, weights: int) -> PrunedStage:
    """A stage that keeps the first weights of a dense one."""
    per_row = np.clip(weights - np.arange(n_out) * n_in, 0, n_in)
    columns = np.concatenate([np.arange(count) for count in per_row])
    return PrunedStage(n_in, n_out, np.concatenate([[0], np.cumsum(per_row)]), columns)


def write(folder: Path, kept: tuple[int, int]) -> a.DesignPoint:
    stages = stage(12, 8, kept[0]), stage(8, 4, kept[1])
    percentiles = (99.0, 99.9, 99.99, 100.0)
    network = TrainedNetwork(
        "bare",
        Topology(tuple((each,) for each in stages)),
        tuple(np.ones(each.weight_shape, dtype=np.float32) for each in stages),
        Calibration(percentiles, ((0.0,) * 4,) * 2),
        recipe={},
    )
    network.save(folder / "bare.npz")
    engine = a.Pruned(pes=2, gather="replicated")
    return a.DesignPoint(network=str(folder / "bare.npz"), engine=engine, technology="cmos65")


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("fidelity", ["analytic", "cycle", "rtl"])
def test_what_keeps_nothing_has_cycles_energy_and_area(
    fidelity: str, kept: tuple[int, int], tmp_path: Path
) -> None:
    design = write(tmp_path, kept)
    result = design.simulate(fidelity)
    assert result.cycles > 0
    assert result.cost("energy_j") > 0
    assert result.cost("area_mm2") > 0
    assert result.stored_weights == sum(kept)
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert told["compression"] == (pytest.approx(128 / sum(kept)) if sum(kept) else None)
    assert a.verify(design.mapping).agrees


def test_at_the_gates_too(tmp_path: Path) -> None:
    assert write(tmp_path, (0, 0)).simulate("gate").cost("energy_j") > 0


def test_a_compression_by_nothing_is_not_stated_and_nothing_is_set_in_ratio_to_it(tmp_path: Path) -> None:
    bare = write(tmp_path, (0, 0))
    (tmp_path / "other").mkdir()
    frame = a.compare([bare, write(tmp_path / "other", (30, 20))], "analytic")
    assert "stored_weights_ratio" not in frame
    assert np.isnan(frame["compression"][0])
    assert frame["compression"][1] == pytest.approx(128 / 50)
    assert isinstance(bare.integer, a.IntegerNetwork)
    assert np.isinf(bare.integer.compression)
    assert ratio(bare.trained.compression) == "—"


def all_zero(engine: str, folder: Path) -> a.DesignPoint:
    a.import_network(np.eye(4) + 1).save(folder / "own.npz")
    np.save(folder / "zeros.npy", np.zeros((1, 4), np.int8))
    files = {"network": str(folder / "own.npz"), "inputs": str(folder / "zeros.npy")}
    return a.DesignPoint(engine=a.engines[engine](kind=engine, pes=2), technology="cmos65", **files)


@pytest.mark.parametrize("fidelity", ["analytic", "cycle", "rtl"])
@pytest.mark.parametrize("engine", a.engines)
def test_inputs_that_are_all_zero_cost_something_on_every_engine(
    engine: str, fidelity: str, tmp_path: Path
) -> None:
    assert all_zero(engine, tmp_path).simulate(fidelity).cost("energy_j") > 0


def test_what_a_pe_switches_without_any_product_is_charged_at_the_gates(tmp_path: Path) -> None:
    result = all_zero("eie", tmp_path).simulate("gate")
    assert result.counts.products == 0
    charged = result.explain("energy_j")
    switched = charged[(charged["component"] == "pe") & (charged["counted"] == "inferences")]
    assert switched["contribution"].sum() > 0
