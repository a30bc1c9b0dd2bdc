"""A trained CNN or RNN comes back from its file as it was, and is not taken for an MLP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.workloads.synthetic import patches
from tests.workloads.training.test_recurrent import rnn
from workloads import IntegerNetworkError, NetworkFileError, load_network, parse_recipe, quantise
from workloads.training.models.trained_model import TrainedModel
from workloads.training.training import train_model


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    return train_model(rnn(epochs=1), progress=False, data=patches())


def test_a_saved_model_loads_as_it_was(trained: TrainedModel, tmp_path: Path) -> None:
    trained.save(tmp_path / "model.npz")
    loaded = TrainedModel.load(tmp_path / "model.npz")
    assert parse_recipe(loaded.recipe) == rnn(epochs=1, data=None)
    assert (loaded.name, loaded.accuracy) == (trained.name, trained.accuracy)
    assert (loaded.stored_weights, loaded.compression) == (trained.stored_weights, trained.compression)
    for one, other in zip(loaded.weights, trained.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_engine_runs_a_tanh_or_skips(trained: TrainedModel, tmp_path: Path) -> None:
    with pytest.raises(IntegerNetworkError, match="activation of the recurrence of tiny is 'tanh', allowed"):
        quantise(trained, 8, 8)
    trained.save(tmp_path / "model.npz")
    with pytest.raises(NetworkFileError, match=r"TrainedModel tiny.*allowed is a multi-layer perceptron"):
        load_network(tmp_path / "model.npz")
    hard = rnn(recurrence=rnn().recurrence.model_copy(update={"activation": "hardtanh"}).model_dump())
    skipping = replace(trained, recipe=hard.model_dump(mode="json"))
    with pytest.raises(IntegerNetworkError, match="skips of tiny is true, allowed is false"):
        quantise(skipping, 8, 8)


def test_a_file_that_lacks_weights_is_refused(trained: TrainedModel, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    trained.save(path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "weights_0"}
    np.savez(path, **arrays)
    with pytest.raises(NetworkFileError, match="inconsistent model"):
        TrainedModel.load(path)
