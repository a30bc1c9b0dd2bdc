"""A user's own matrices run on every engine that their zeros allow, bit for bit, however odd they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

import archsim as a
from archsim.runs_on import engines_of_trained, stages_found
from archsim.verification import verify
from tests.workloads.strategies import block_stages, csc_stages, kronecker_stages, sizes
from tests.workloads.test_renewed import masked, network
from workloads import CscStage, DenseStage, Stage

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(5)


def own(matrix: Any, **told: Any) -> a.TrainedNetwork:
    return a.import_network(matrix, layout="out_in", activations="relu", **told)


def agrees(trained: a.TrainedNetwork, engine: a.Engine, inputs: int = 2) -> bool:
    return verify(engine.map(a.quantise(trained, 8, 8)), inputs=inputs).agrees


@pytest.fixture
def masked_file(tmp_path: Path) -> Path:
    path = tmp_path / "masked.npz"
    network((DenseStage(60, 40), masked(40, 60, 0.9))).save(path)
    return path


def costed(network: Path | str, engine: a.Engine) -> a.Result:
    return a.DesignPoint(network=str(network), engine=engine, technology="cmos65").simulate("analytic")


def test_nine_tenths_of_zeros_are_not_costed_as_weights_without_a_word(masked_file: Path) -> None:
    told = [warning for warning in costed(masked_file, a.Pruned(pes=4)).warnings if "zero" in warning]
    assert told == [
        "2,160 of 2,400 stored weights are zero, and are fetched and multiplied all the same: "
        "`archsim import` makes a network of the others"
    ]
    again = masked_file.with_name("again.npz")
    a.import_network(masked_file).save(again)
    result = costed(again, a.Pruned(pes=4))
    assert not [warning for warning in result.warnings if "zero" in warning]
    assert (result.stored_weights, result.compression) == (240, 10)
    assert result.counts.macs == 240


@pytest.mark.parametrize("name", a.zoo_names())
def test_no_network_of_the_zoo_stores_zeros_in_vain(name: str) -> None:
    engines = engines_of_trained(a.networks[name])
    engine = a.engines[engines[0]](kind=engines[0])
    assert not [warning for warning in costed(name, engine).warnings if "zero" in warning]


def test_what_was_assumed_is_a_warning_of_every_result(tmp_path: Path) -> None:
    scipy.sparse.save_npz(tmp_path / "weights.npz", scipy.sparse.random_array((10, 20), density=0.3))
    warnings = costed(tmp_path / "weights.npz", a.Pruned(pes=4)).warnings
    assert [warning.partition(":")[0] for warning in warnings][:2] == [
        "the matrix was read as (n_out, n_in), as in y = W x, because one matrix alone does not tell",
        "scales were assumed",
    ]
    matrix = np.load(tmp_path / "weights.npz")["data"]
    assert costed(tmp_path / "weights.npz", a.Pruned(pes=4)).stored_weights == matrix.size


def test_a_network_beside_its_design_file_is_found_whatever_its_ending(tmp_path: Path) -> None:
    np.save(tmp_path / "weights.npy", RANDOM.normal(size=(5, 4)))
    design = tmp_path / "design.yaml"
    design.write_text("{network: weights.npy, engine: {kind: dense}, technology: cmos65}")
    assert a.DesignPoint.from_file(design).trained.stored_weights == 20
    np.save(tmp_path / "weights.npy", RANDOM.normal(size=(5, 3)))
    assert a.DesignPoint.from_file(design).trained.stored_weights == 15


@settings(max_examples=25)
@given(
    sizes.flatmap(csc_stages) | sizes.flatmap(block_stages) | sizes.flatmap(kronecker_stages),
    st.integers(0, 99),
)
def test_a_scattered_stage_runs_on_the_engine_without_indices(stage: Stage, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=stage.weight_shape)
    trained = own(stage.csr(weights).toarray())
    engine = a.Csc(pes=3) if stage.kind == "csc" else a.Clos(pes=3)
    assert agrees(trained, engine)


def test_the_engines_of_every_stage_are_told() -> None:
    ring = CscStage(120, 120, 7, 1)
    matrices = [
        ring.csr(RANDOM.normal(size=ring.weight_shape)),
        RANDOM.normal(size=(8, 120)),
        masked(60, 8, 0.7),
    ]
    trained = own(matrices)
    told = [(stage.kind, stage.engines) for stage in stages_found(trained)]
    assert told == [
        ("csc, fan-in 7, stride 1", ("csc", "eie", "pruned")),
        ("dense", ("clos", "csc", "dense", "eie", "pruned")),
        ("pruned", ("eie", "pruned")),
    ]
    assert engines_of_trained(trained) == ("eie", "pruned")
    assert engines_of_trained(own(matrices[:2])) == ("csc", "eie", "pruned")


ODD: dict[str, NDArray[Any]] = {
    "zero": np.zeros((8, 12)),
    "positive": abs(RANDOM.normal(size=(8, 12))),
    "negative": -abs(RANDOM.normal(size=(8, 12))),
    "constant": np.ones((8, 12)),
}


@pytest.mark.parametrize("kind", ["dense", "csc", "clos", "pruned"])
@pytest.mark.parametrize("which", ODD)
def test_weights_of_one_sign_or_value_are_weights(which: str, kind: str, tmp_path: Path) -> None:
    network((DenseStage(12, 8), ODD[which])).save(tmp_path / "odd.npz")
    design = a.DesignPoint(
        network=str(tmp_path / "odd.npz"), engine={"kind": kind, "pes": 3}, technology="cmos65"
    )
    assert verify(design.mapping).agrees
    result = design.simulate("analytic")
    assert np.isfinite([result.energy_j or 0, result.area_mm2 or 0, result.latency_s]).all()
    imported = own(ODD[which]) if which != "zero" else None
    assert imported is None or agrees(imported, a.engines[kind](kind=kind, pes=3))


@pytest.mark.parametrize("pes", [1, 3, 16])
@pytest.mark.parametrize("kind", ["dense", "csc", "clos", "pruned"])
def test_one_input_or_one_output_is_a_layer(kind: str, pes: int) -> None:
    one = own([np.ones((1, 1))])
    bottle = own([RANDOM.normal(size=(1, 7)), RANDOM.normal(size=(9, 1))])
    engine = a.engines[kind](kind=kind, pes=pes)
    for trained in (one, bottle):
        assert agrees(trained, engine)
        assert engine.map(a.quantise(trained, 8, 8)).count().cycles > 0


@pytest.mark.parametrize("index", ["auto", "absolute", "relative"])
@pytest.mark.parametrize("gather", ["replicated", "banked"])
def test_empty_rows_anywhere_are_rows(gather: Any, index: Any) -> None:
    matrix = masked(9, 40, 0.9)
    matrix[[0, 4, 8]] = 0
    matrix[3, 39] = 1
    assert agrees(own(matrix), a.Pruned(pes=4, gather=gather, index=index), inputs=3)
