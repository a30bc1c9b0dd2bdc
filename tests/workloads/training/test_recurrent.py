"""A recurrent network whose matrices are cascades."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.workloads.slopes import assert_gradients_are_slopes
from tests.workloads.synthetic import CLASSES, patches, recipe
from workloads.training.models.recurrent import RecurrentModel
from workloads.training.run import initial_model
from workloads.training.training import train_model


def rnn(**changes: Any) -> Any:
    recurrence = {
        "steps": 6,
        "input": {"family": "csc", "outputs": 12, "fan_in": 3},
        "hidden": {"family": "clos", "outputs": 12, "ingress": 3, "middle": 4, "egress": 4, "skips": True},
    }
    layers = [{"family": "dense", "outputs": CLASSES}]
    return recipe(**({"model": "rnn", "recurrence": recurrence, "layers": layers} | changes))


def model(dtype: type[np.floating]) -> RecurrentModel:
    inputs, hidden = rnn().recurrent_cascades()
    weights = initial_model(rnn(), np.random.default_rng(1)).weights
    return RecurrentModel(6, inputs, hidden, rnn().topology(), [array.astype(dtype) for array in weights])


def test_the_states_follow_one_another() -> None:
    network = model(np.float64)
    x = np.random.default_rng(0).normal(size=(36, 5))
    inputs, hidden = rnn().recurrent_cascades()

    def times(cascade: Any, weights: list[Any], signal: Any) -> Any:
        for stage, array, skip in zip(cascade.stages, weights, cascade.skipped, strict=True):
            signal = stage.csr(array) @ signal + (signal if skip else 0)
        return signal

    state = np.zeros((12, 5))
    first, last = len(inputs.stages), len(inputs.stages) + len(hidden.stages)
    for step in range(6):
        seen = times(inputs, network.weights[:first], x[6 * step : 6 * step + 6])
        state = np.tanh(seen + times(hidden, network.weights[first:last], state))
    np.testing.assert_allclose(network.logits(x), network.weights[-1] @ state, atol=1e-12)


def test_gradients_through_time_are_the_slopes_of_the_loss() -> None:
    assert_gradients_are_slopes(model(np.float64), n_in=36, classes=CLASSES, batch=3)


def test_a_recurrent_network_keeps_float32() -> None:
    _, gradients = model(np.float32).loss_and_gradients(
        np.ones((36, 5), dtype=np.float32), np.zeros(5, dtype=np.int64)
    )
    assert all(gradient.dtype == np.float32 for gradient in gradients)


def test_a_recurrent_network_learns_and_counts_its_weights() -> None:
    trained = train_model(rnn(epochs=20), progress=False, data=patches())
    assert trained.accuracy["float"] > 0.9
    assert trained.stored_weights == sum(array.size for array in trained.weights)
    assert trained.dense_weights == 6 * 12 + 12 * 12 + 12 * 4


def test_a_recurrent_network_that_leaves_the_finite_numbers_names_its_part() -> None:
    network = model(np.float32)
    x = np.ones((36, 5), dtype=np.float32)
    network.weights[0][0, 0] = np.nan
    assert network.first_out_of_range(x) == "stage 0 of the input matrix, at step 0 of the sequence"
    network = model(np.float32)
    network.weights[-2][0, 0, 0] = np.nan
    assert network.first_out_of_range(x) == "stage 2 of the hidden matrix, at step 0 of the sequence"
