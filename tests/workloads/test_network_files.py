"""A network file comes back as it was, or is refused in a sentence."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workloads.synthetic import dense_layers, patches, recipe
from workloads import NetworkFileError, TrainedNetwork, load_network, train, zoo_names
from workloads.importers.zoo import FOLDER


@pytest.fixture(scope="module")
def trained() -> TrainedNetwork:
    return train(recipe(epochs=1), progress=False, data=patches())


@pytest.fixture(scope="module")
def pruned() -> TrainedNetwork:
    chosen = recipe(epochs=1, layers=dense_layers(), pruning={"stored_weights": 60, "events": 2})
    return train(chosen, progress=False, data=patches())


@pytest.fixture(scope="module")
def skipped() -> TrainedNetwork:
    layers = [{"family": "csc", "outputs": 36, "fan_in": 6, "skips": True}, *dense_layers()]
    return train(recipe(epochs=1, layers=layers), progress=False, data=patches())


@pytest.fixture(scope="module")
def biased() -> TrainedNetwork:
    return train(recipe(epochs=1, bias=True), progress=False, data=patches())


@pytest.mark.parametrize("which", ["trained", "pruned", "skipped", "biased"])
def test_a_saved_network_loads_as_it_was(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    network: TrainedNetwork = request.getfixturevalue(which)
    path = tmp_path / "network.npz"
    network.save(path)
    loaded = load_network(path)
    assert loaded.name == network.name
    assert loaded.topology == network.topology
    assert loaded.calibration == network.calibration
    assert loaded.recipe == network.recipe
    assert loaded.accuracy == network.accuracy
    assert (loaded.stored_weights, loaded.compression) == (network.stored_weights, network.compression)
    for one, other in zip(loaded.weights, network.weights, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, other)
    assert loaded.stored_biases == network.stored_biases
    for ours, theirs in zip(loaded.biases, network.biases, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [entry.name for entry in tmp_path.iterdir()] == ["network.npz"]


def test_the_same_network_makes_the_same_file(trained: TrainedNetwork, tmp_path: Path) -> None:
    for name in ("one.npz", "other.npz"):
        trained.save(tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_a_file_says_version_two_only_where_there_are_skips_and_three_where_there_are_biases(
    trained: TrainedNetwork, skipped: TrainedNetwork, biased: TrainedNetwork, tmp_path: Path
) -> None:
    versions = []
    for network in (trained, biased, skipped):
        network.save(tmp_path / "network.npz")
        with np.load(tmp_path / "network.npz") as archive:
            versions.append(json.loads(str(archive["metadata"]))["version"])
    assert versions == [1, 3, 2]
    assert load_network(tmp_path / "network.npz").topology.skips == (True, True, False, False)


def test_biases_lie_at_the_last_stage_of_every_layer(biased: TrainedNetwork) -> None:
    sizes = [None if bias is None else bias.size for bias in biased.biases]
    stages = zip(biased.topology.stages, biased.topology.ends_layer, strict=True)
    assert sizes == [stage.n_out if ends else None for stage, ends in stages]
    assert biased.stored_biases == 12 + 8 + 4
    assert biased.stored_weights == biased.topology.stored_weights
    assert "stored biases</th><td>24<" in biased._repr_html_()


@pytest.mark.parametrize(
    ("biases", "message"),
    [
        ((None,), "biases of tiny have 1 entries, allowed are 7, one a stage, or none"),
        ((np.zeros(3, dtype=np.float32), *[None] * 6), "biases of stage 0 of tiny have shape (3,), allowed"),
        ((np.full(12, np.inf, dtype=np.float32), *[None] * 6), "allowed are finite numbers of shape (12,)"),
    ],
)
def test_a_network_refuses_a_bias_where_a_stage_has_none_to_take(
    biases: Any, message: str, trained: TrainedNetwork
) -> None:
    with pytest.raises(NetworkFileError) as caught:
        dataclasses.replace(trained, biases=biases)
    assert message in str(caught.value)
    assert dataclasses.replace(trained, biases=(None,) * 7).biases == ()


@pytest.mark.parametrize("name", zoo_names())
def test_a_network_of_the_zoo_is_saved_as_it_was_shipped(name: str, tmp_path: Path) -> None:
    load_network(name).save(tmp_path / "again.npz")
    with np.load(tmp_path / "again.npz") as again, np.load(FOLDER / f"{name}.npz") as shipped:
        assert again.files == shipped.files
        assert all(np.array_equal(again[array], shipped[array]) for array in again.files)


def test_an_interrupted_save_leaves_the_old_file_and_nothing_else(
    trained: TrainedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "network.npz"
    trained.save(path)
    before = path.read_bytes()

    def interrupted(file: Any, **arrays: Any) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["network.npz"]
    assert path.read_bytes() == before


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def damage(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        weights = archive.getinfo("weights_0.npy")
    content = bytearray(path.read_bytes())
    content[weights.header_offset + weights.compress_size // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def foreign(path: Path) -> None:
    np.savez(path, x=np.zeros(3))


def one_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def edited(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        with np.load(path) as archive:
            arrays: dict[str, Any] = {name: archive[name] for name in archive.files}
        metadata = json.loads(str(arrays.pop("metadata")))
        change(metadata, arrays)
        np.savez(path, metadata=np.array(json.dumps(metadata)), **arrays)

    return edit


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncate, "which is no whole NumPy archive"),
        (damage, "which is no whole NumPy archive"),
        (foreign, "a NumPy archive of something else"),
        (one_array, "which is no whole NumPy archive"),
        (lambda path: path.write_bytes(b""), "which is no whole NumPy archive"),
        (lambda path: path.write_text("not a network"), "which is no whole NumPy archive"),
        (lambda path: path.unlink(), "which does not exist"),
        (
            edited(lambda metadata, arrays: metadata.update(version=99)),
            "version 99, allowed is 'archsim network' version 1 or 2 or 3 or 4",
        ),
        (
            edited(lambda metadata, arrays: metadata.update(format="other")),
            "is 'other' version 1, allowed is",
        ),
        (
            edited(lambda metadata, arrays: metadata.pop("calibration")),
            "inconsistent network (calibration is missing",
        ),
        (edited(lambda metadata, arrays: arrays.pop("weights_0")), "inconsistent network ('weights_0'"),
        (
            edited(lambda metadata, arrays: arrays.update(weights_0=np.zeros((2, 2)))),
            "inconsistent network (weights of stage 0",
        ),
        (
            edited(lambda metadata, arrays: arrays["weights_0"].fill(np.nan)),
            "inconsistent network (weights of stage 0",
        ),
        (
            edited(lambda metadata, arrays: arrays.update(biases_0=np.zeros(2))),
            "inconsistent network (biases of stage 0",
        ),
        (
            edited(lambda metadata, arrays: arrays.update(biases_9=np.zeros(2))),
            "inconsistent network (biases are biases_9, allowed are those of stages 0 to 6)",
        ),
        (
            edited(lambda metadata, arrays: metadata["layers"].pop(1)),
            "inconsistent network (n_in of stage",
        ),
        (
            edited(lambda metadata, arrays: metadata["layers"][0][0].update(kind="omega")),
            "inconsistent network (kind of a stage is 'omega'",
        ),
    ],
)
def test_a_spoilt_file_is_refused_in_one_sentence_that_names_it(
    spoil: Callable[[Path], None], message: str, trained: TrainedNetwork, tmp_path: Path
) -> None:
    path = tmp_path / "network.npz"
    trained.save(path)
    spoil(path)
    with pytest.raises(NetworkFileError) as caught:
        TrainedNetwork.load(path)
    text = str(caught.value)
    assert str(path) in text
    assert message in text
    assert ", allowed is " in text
    assert not text.endswith(".")
    assert "\n" not in text


def test_an_unknown_name_lists_the_names_that_are_known() -> None:
    with pytest.raises(NetworkFileError, match=r"network is 'lenet-5', allowed are .*lenet-300-100-csc.*"):
        load_network("lenet-5")
