"""A result states the accuracy at its own widths wherever it can be known, and why where it cannot."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archsim as a
from archsim import accuracy
from tests.reports.stand_ins import write_design
from tests.workloads.synthetic import dense_layers, patches, recipe
from tests.workloads.training.test_placed import cnn
from workloads import (
    DenseStage,
    LabelledData,
    PlacedLayers,
    PlacedNetwork,
    Places,
    Topology,
    TrainedNetwork,
    evaluate,
    quantise,
    train,
    train_model,
)
from workloads.data.cache import CACHE_VARIABLE
from workloads.training.quantisation.placed import placed_network


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path / "cache"))


def save(data: LabelledData, path: Path) -> None:
    parts: dict[str, Any] = {"x_train": data.train_inputs, "y_train": data.train_labels}
    np.savez(path, **parts, x_test=data.test_inputs, y_test=data.test_labels)


@pytest.fixture
def trained(tmp_path: Path) -> TrainedNetwork:
    """A network that was trained on a file, and is in one."""
    save(patches(), tmp_path / "data.npz")
    chosen = recipe(epochs=4, layers=dense_layers(), data=str(tmp_path / "data.npz"))
    network = train(chosen, progress=False)
    network.save(tmp_path / "network.npz")
    return network


def design(folder: Path, **widths: Any) -> a.DesignPoint:
    engine = a.Dense(pes=4, **widths)
    return a.DesignPoint(network=str(folder / "network.npz"), engine=engine, technology="cmos65")


def test_equal_widths_are_stated_by_the_file(trained: TrainedNetwork, tmp_path: Path) -> None:
    (tmp_path / "data.npz").unlink()
    for bits in (2, 5, 8, 16):
        result = design(tmp_path, weight_bits=bits, activation_bits=bits).simulate("analytic")
        assert result.accuracy == trained.accuracy[f"int{bits}"]
        assert not any("accuracy" in text for text in result.warnings)


def test_widths_that_differ_are_stated_too(tmp_path: Path) -> None:
    rounding = {"weight_bits": 4, "activation_bits": 6}
    chosen = recipe(epochs=1, layers=dense_layers(), data="synthetic", rounding=rounding)
    network = train(chosen, progress=False, data=patches())
    network.save(tmp_path / "network.npz")
    assert [name for name in network.accuracy if "x" in name] == [f"int{bits}x6" for bits in range(2, 6)]
    result = design(tmp_path, weight_bits=3, activation_bits=6).simulate("analytic")
    assert result.accuracy == network.accuracy["int3x6"]


def test_other_widths_are_measured_on_the_data_of_the_recipe_and_remembered(
    trained: TrainedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = patches()
    expected = evaluate(quantise(trained, 4, 6), data.test_inputs, data.test_labels)
    result = design(tmp_path, weight_bits=4, activation_bits=6).simulate("analytic")
    assert result.accuracy == a.accuracy_at(trained, 4, 6) == expected
    monkeypatch.setattr(accuracy, "evaluate", None)
    loaded = a.load_network(tmp_path / "network.npz")
    assert a.accuracy_at(loaded, 4, 6) == expected, "measured once, whoever asks"


def test_of_data_that_are_gone_or_changed_the_reason_is_told(trained: TrainedNetwork, tmp_path: Path) -> None:
    widths = {"weight_bits": 4, "activation_bits": 6}
    unknown = "accuracy is unknown with 4-bit weights and 6-bit activations: "
    changed = dataclasses.replace(patches(), test_labels=(patches().test_labels + 1) % 4)
    save(changed, tmp_path / "data.npz")
    with pytest.raises(
        a.AccuracyError, match=r"^accuracy is unknown with .* no longer those that the network's file"
    ):
        a.accuracy_at(trained, 4, 6)
    (tmp_path / "data.npz").unlink()
    result = design(tmp_path, **widths).simulate("analytic")
    assert result.accuracy is None
    (told,) = (text for text in result.warnings if "accuracy" in text)
    assert told.startswith(f"{unknown}data is {str(tmp_path / 'data.npz')!r}, allowed are")


def test_a_network_that_was_never_measured_is_not_said_to_have_been(tmp_path: Path) -> None:
    result = a.DesignPoint.from_file(write_design(tmp_path)).simulate("analytic")
    assert result.accuracy is None
    (told,) = (text for text in result.warnings if "accuracy" in text)
    assert told == (
        "accuracy is unknown with 8-bit weights and 8-bit activations: the network's file states none, and "
        "names no data to measure it on"
    )


def test_two_files_that_an_import_names_are_data_too(trained: TrainedNetwork, tmp_path: Path) -> None:
    data = patches()
    np.save(tmp_path / "x.npy", data.test_inputs)
    np.save(tmp_path / "y.npy", data.test_labels)
    files = {"inputs": str(tmp_path / "x.npy"), "labels": str(tmp_path / "y.npy")}
    imported = dataclasses.replace(trained, recipe={"data": files})
    assert a.accuracy_at(imported, 4, 6) == a.accuracy_at(trained, 4, 6)


def test_nothing_is_downloaded_to_measure_an_accuracy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr("pooch.retrieve", None)
    monkeypatch.setattr("subprocess.run", None)
    with pytest.raises(a.AccuracyError, match="because nothing is to be downloaded"):
        a.accuracy_at(a.networks["lenet-300-100-csc-x40"], 3, 7)


def test_random_labels_mean_nothing(trained: TrainedNetwork) -> None:
    told: dict[str, Any] = {"recipe": {"data": "synthetic"}, "accuracy": {}}
    with pytest.raises(a.AccuracyError, match="states none, and names no data"):
        a.accuracy_at(dataclasses.replace(trained, **told), 8, 8)


def test_a_cnn_is_measured_at_any_widths_too_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(patches(), tmp_path / "data.npz")
    first = [{"family": "dense", "outputs": 4, "kernel": 3, "stride": 2}]
    chosen = cnn(epochs=1, convolutions=first, data=str(tmp_path / "data.npz"))
    model = train_model(chosen, progress=False)
    model.save(tmp_path / "network.npz")
    data = patches()
    expected = evaluate(quantise(placed_network(model), 3, 7), data.test_inputs, data.test_labels)
    result = design(tmp_path, weight_bits=3, activation_bits=7).simulate("analytic")
    assert result.accuracy == a.accuracy_at(placed_network(model), 3, 7) == expected
    assert expected != evaluate(quantise(placed_network(model), 2, 7), data.test_inputs, data.test_labels)
    assert not any("accuracy" in text for text in result.warnings)
    monkeypatch.setattr(accuracy, "evaluate", None)
    assert a.accuracy_at(model, 3, 7) == expected, "measured once, whichever form it has"


def test_an_imported_network_with_places_is_measured_on_the_files_of_its_import(tmp_path: Path) -> None:
    random, data = np.random.default_rng(0), patches()
    kernel, matrix = random.normal(size=(3, 1, 3, 3)), random.normal(size=(4, 3 * 4 * 4))
    layers = (
        PlacedLayers.convolution(kernel.astype(np.float32), rows=6, columns=6),
        PlacedLayers(Places.whole(3, 4, 4), Topology(((DenseStage(48, 4),),)), (matrix.astype(np.float32),)),
    )
    np.save(tmp_path / "x.npy", data.test_inputs)
    np.save(tmp_path / "y.npy", data.test_labels)
    files = {"inputs": str(tmp_path / "x.npy"), "labels": str(tmp_path / "y.npy")}
    network = PlacedNetwork("places", layers, recipe={"data": files}).calibrated(data.train_inputs)
    expected = evaluate(quantise(network, 5, 9), data.test_inputs, data.test_labels)
    assert a.accuracy_at(network, 5, 9) == expected
    stated = dataclasses.replace(network, accuracy={"float": 1.0})
    with pytest.raises(a.AccuracyError, match="the data are no longer those"):
        a.accuracy_at(stated, 5, 9)
