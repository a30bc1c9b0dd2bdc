"""The documented format of network files is that of the files: the schema takes every one that is read, and
the page names all of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import archsim as a
from workloads import CscStage, DenseStage, KroneckerStage, PrunedStage, Stage
from workloads.importers.matrices import ACTIVATIONS, LAYOUTS
from workloads.importers.zoo import FOLDER
from workloads.topology.network import BIASED, EXTENDED, PLAIN, RANGED
from workloads.topology.stages import BlockStage

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs" / "network.schema.json").read_text(encoding="utf-8"))
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
    assert set(SCHEMA["properties"]) - set(metadata) == {"skips", "input_digits"}


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


def test_the_schema_knows_every_kind_of_stage_and_every_version() -> None:
    kinds = [stage["properties"]["kind"]["const"] for stage in SCHEMA["$defs"]["stage"]["oneOf"]]
    assert sorted(kinds) == sorted(Stage.kinds)
    assert SCHEMA["properties"]["version"]["enum"] == [PLAIN, EXTENDED, BIASED, RANGED]


def test_the_page_names_what_there_is() -> None:
    for name in (*Stage.kinds, *LAYOUTS, *{*ACTIVATIONS.values()}, "softmax", "order", "input_range"):
        assert f"`{name}`" in PAGE, name
    assert re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE) == ["1", "2", "3", "4"]
    with np.load(FOLDER / "lenet-300-100-pruned.npz") as archive:
        for name in archive.files:
            assert f"`{re.sub(r'[0-9]+$', '0', name)}`" in PAGE, name
