"""The documented format of network files is that of the files: the schema takes every one that is read, and
the page names all of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import jsonschema
import numpy as np
import pytest

import archsim as a
from workloads import (
    CscStage,
    DenseStage,
    KroneckerStage,
    PlacedLayers,
    PlacedNetwork,
    Places,
    PrunedStage,
    Samples,
    Stage,
    Steps,
    Topology,
    read_network,
)
from workloads.importers.matrices import ACTIVATIONS, LAYOUTS
from workloads.importers.zoo import FOLDER
from workloads.stages import BlockStage
from workloads.topology import placed
from workloads.topology.network import BIASED, EXTENDED, PLAIN, RANGED

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs" / "network.schema.json").read_text(encoding="utf-8"))
NETWORK, PLACED = SCHEMA["$defs"]["network"], SCHEMA["$defs"]["placed_network"]
RANDOM = np.random.default_rng(0)


def metadata_of(path: Path) -> dict[str, Any]:
    with np.load(path) as archive:
        read: dict[str, Any] = json.loads(str(archive["metadata"]))
    return read


STAGES: tuple[Stage, ...] = (
    CscStage(12, 12, 3, 1),
    BlockStage(3, 4, 2),
    KroneckerStage(2, 3, 3, 1),
    PrunedStage.from_mask(np.arange(24).reshape(4, 6) % 5 < 2),
    DenseStage(4, 3),
)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A file with every kind of stage, biases, samples, remarks, accuracies and a range of inputs."""
    layers = [
        (stage.csr(RANDOM.uniform(1, 2, stage.weight_shape)).toarray(), np.ones(stage.n_out))
        for stage in STAGES
    ]
    inputs, labels = RANDOM.normal(size=(20, 12)), RANDOM.integers(0, 3, 20)
    a.import_network(layers, layout="out_in", inputs=inputs, labels=labels).save(tmp_path / "whole.npz")
    return tmp_path / "whole.npz"


def test_a_file_with_all_there_is_meets_the_schema(whole: Path) -> None:
    metadata = metadata_of(whole)
    jsonschema.validate(metadata, SCHEMA)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert [layer[0]["kind"] for layer in metadata["layers"]] == [stage.kind for stage in STAGES]
    assert set(NETWORK["properties"]) - set(metadata) == {"skips", "input_digits"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.npz")), ids=lambda path: path.stem)
def test_every_file_that_is_shipped_meets_the_schema(path: Path) -> None:
    jsonschema.validate(metadata_of(path), SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 5},
        {"version": "1"},
        {"format": "archsim model"},
        {"name": 3},
        {"layers": []},
        {"layers": [[{"kind": "omega", "parameters": {}}]]},
        {"layers": [[{"kind": "dense", "parameters": {"n_in": 0, "n_out": 3}}]]},
        {"accuracy": {"int8": 97.5}},
        {"accuracy": {"int8": "n/a"}},
        {"calibration": {"percentiles": [100.0]}},
        {"calibration": {"percentiles": [100.0], "ranges": [["x"]] * 5}},
        {"input_range": [0]},
        {"remarks": [3]},
        {"recipe": None},
    ],
    ids=str,
)
def test_what_the_schema_refuses_is_refused(change: dict[str, Any], whole: Path) -> None:
    with np.load(whole) as archive:
        arrays = {name: archive[name] for name in archive.files}
    metadata = json.loads(str(arrays.pop("metadata"))) | change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(metadata, SCHEMA)
    told: dict[str, Any] = {"metadata": np.array(json.dumps(metadata)), **arrays}
    np.savez(whole, **told)
    with pytest.raises(a.Refusal, match="allowed") as caught:
        a.load_network(whole)
    assert "\n" not in str(caught.value)


def placed_network(**changes: Any) -> PlacedNetwork:
    """Steps, a convolution with a bias and pruned connections, and a fully connected layer behind."""
    kernel = np.where(np.arange(36).reshape(3, 4, 3, 1) % 3, 1.0, 0.0).astype(np.float32)
    ones = [np.ones(shape, dtype=np.float32) for shape in ((8, 11), (2, 3))]
    layers = (
        PlacedLayers(Steps(4, 3), Topology(((DenseStage(11, 8),),)), (ones[0],), ending="hardtanh"),
        PlacedLayers.convolution(
            kernel, rows=2, columns=1, padding=(1, 0, 1, 0), stride=(2, 1), bias=np.ones(3, dtype=np.float32)
        ),
        PlacedLayers(Places.whole(3, 1, 1), Topology(((DenseStage(3, 2),),)), (ones[1],)),
    )
    return PlacedNetwork("places", layers, **changes)


@pytest.fixture
def whole_with_places(tmp_path: Path) -> Path:
    """A file with every kind of sweep, samples, remarks, accuracies and a range of inputs."""
    inputs = RANDOM.normal(size=(9, 12)).astype(np.float32)
    network = placed_network(
        samples=Samples(inputs, "nothing"),
        remarks=("a remark",),
        input_range=(-3.0, 3.0),
        accuracy={"float": 0.5},
    ).calibrated(inputs)
    network.save(tmp_path / "places.npz")
    return tmp_path / "places.npz"


def test_a_file_with_places_meets_the_schema(whole_with_places: Path, tmp_path: Path) -> None:
    metadata = metadata_of(whole_with_places)
    jsonschema.validate(metadata, SCHEMA)
    assert set(PLACED["properties"]) == set(metadata)
    # Nor does it need any of what may be missing.
    placed_network().save(tmp_path / "bare.npz")
    bare = metadata_of(tmp_path / "bare.npz")
    jsonschema.validate(bare, SCHEMA)
    assert (bare["calibration"], bare["version"]) == (None, placed.PLAIN)
    read = read_network(whole_with_places)
    assert isinstance(read, PlacedNetwork)
    assert read.accuracy == {"float": 0.5}
    assert None not in (read.samples, read.calibration)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 3},
        {"name": 3},
        {"layers": []},
        {"layers": [{"topology": [], "ending": "none", "sweep": {"kind": "steps", "steps": 4, "inputs": 3}}]},
        {"layers": 3},
        {"accuracy": {"int8": 97.5}},
        {"calibration": {"percentiles": [100.0], "ranges": [["x"]] * 3}},
        {"input_range": [0]},
        {"remarks": [3]},
        {"recipe": None},
    ],
    ids=str,
)
def test_what_the_schema_refuses_of_places_is_refused(
    change: dict[str, Any], whole_with_places: Path
) -> None:
    with np.load(whole_with_places) as archive:
        arrays = {name: archive[name] for name in archive.files}
    metadata = json.loads(str(arrays.pop("metadata"))) | change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(metadata, SCHEMA)
    told: dict[str, Any] = {"metadata": np.array(json.dumps(metadata)), **arrays}
    np.savez(whole_with_places, **told)
    with pytest.raises(a.Refusal, match="allowed") as caught:
        read_network(whole_with_places)
    assert "\n" not in str(caught.value)


def test_the_schema_knows_every_kind_of_stage_and_every_version() -> None:
    kinds = [stage["properties"]["kind"]["const"] for stage in SCHEMA["$defs"]["stage"]["oneOf"]]
    assert sorted(kinds) == sorted(Stage.kinds)
    assert NETWORK["properties"]["version"]["enum"] == [PLAIN, EXTENDED, BIASED, RANGED]
    assert PLACED["properties"]["version"]["enum"] == [placed.PLAIN, placed.RANGED]
    assert PLACED["properties"]["format"]["const"] == placed.FORMAT
    sweeps = SCHEMA["$defs"]["sweep"]["oneOf"]
    assert [sweep["properties"]["kind"]["const"] for sweep in sweeps] == list(placed.SWEEPS)
    assert set(PLACED["properties"]["layers"]["items"]["properties"]["ending"]["enum"]) == set(
        get_args(placed.Ending)
    )


def test_the_page_names_what_there_is() -> None:
    for name in (*Stage.kinds, *LAYOUTS, *{*ACTIVATIONS.values()}, "softmax", "order", "input_range"):
        assert f"`{name}`" in PAGE, name
    assert re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE) == ["1", "2", "3", "4"]
    with np.load(FOLDER / "lenet-300-100-pruned.npz") as archive:
        for name in archive.files:
            assert f"`{re.sub(r'[0-9]+$', '0', name)}`" in PAGE, name
