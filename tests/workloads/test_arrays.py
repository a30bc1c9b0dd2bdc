"""Networks as arrays: read in the one way that names and widths leave, or refused with what to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from tests.workloads.matrices import ALL, B1, B2, B3, INPUTS, RANDOM, W1, W2, W3, outputs, product, saved
from tests.workloads.strategies import stages
from workloads import import_network
from workloads.importers.matrices import NOT_NAMED, NOT_TOLD

SPARSE_FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
WANTED = product(ALL, INPUTS.T)

SAVED: dict[str, dict[str, NDArray[Any]]] = {
    "numbers": {"W1": W1, "b1": B1, "W2": W2, "b2": B2, "W3": W3, "b3": B3},
    "numbers in any order": {"b3": B3, "W3": W3, "W2": W2, "b1": B1, "b2": B2, "W1": W1},
    "torch": {
        "net.0.weight": W1,
        "net.0.bias": B1,
        "net.2.weight": W2,
        "net.2.bias": B2,
        "net.10.weight": W3,
        "net.10.bias": B3,
    },
    "positions": {f"arr_{number}": array for number, array in enumerate([W1, B1, W2, B2, W3, B3])},
    "keras, transposed": {
        "dense/kernel:0": W1.T,
        "dense/bias:0": B1,
        "dense_1/kernel:0": W2.T,
        "dense_1/bias:0": B2,
        "dense_2/kernel:0": W3.T,
        "dense_2/bias:0": B3,
    },
    "words whose biases tell": {
        "out.weight": W3,
        "hidden.weight": W2,
        "seen.weight": W1,
        "out.bias": B3,
        "hidden.bias": B2,
        "seen.bias": B1,
    },
}


@pytest.mark.parametrize("names", SAVED)
def test_arrays_of_an_archive_are_put_in_order_by_their_names(names: str, tmp_path: Path) -> None:
    saved(tmp_path / "mine.npz", **SAVED[names])
    network = import_network(tmp_path / "mine.npz", inputs=INPUTS)
    np.testing.assert_allclose(outputs(network, INPUTS.T), WANTED, rtol=1e-5, atol=1e-4)
    assert network.name == "mine"
    assert network.remarks == (NOT_NAMED,)
    assert import_network(SAVED[names], activations="relu").remarks[0].startswith("scales were assumed")


@pytest.mark.parametrize(
    "source",
    [
        [W1, B1, W2, B2, W3, B3],
        [(W1, B1), (W2, B2), (W3, B3)],
        {"weights": [W1, W2, W3], "biases": [B1, B2, B3]},
        [W1.T, B1, W2.T, B2, W3.T, B3],
        [scipy.sparse.csc_matrix(W1), B1, scipy.sparse.lil_array(W2), B2, W3, B3],
    ],
    ids=["a list", "pairs", "two lists", "transposed", "sparse"],
)
def test_a_list_is_in_the_order_of_the_data(source: Any) -> None:
    network = import_network(source, activations=["relu", "relu", "none"], inputs=INPUTS)
    np.testing.assert_allclose(outputs(network, INPUTS.T), WANTED, rtol=1e-5, atol=1e-4)
    assert network.remarks == ()
    assert network.samples is not None
    assert network.samples.values.shape == (40, 30)


@pytest.mark.parametrize("kind", SPARSE_FORMATS)
def test_a_sparse_matrix_of_any_format_is_read_from_memory_and_from_a_file(kind: str, tmp_path: Path) -> None:
    matrix = scipy.sparse.random_array((10, 20), density=0.2, random_state=RANDOM)
    sources: list[Any] = [matrix.asformat(kind)]  # type: ignore[call-overload]
    if kind not in ("dok", "lil"):
        scipy.sparse.save_npz(tmp_path / "sparse.npz", sources[0])
        sources.append(tmp_path / "sparse.npz")
    for source in sources:
        network = import_network(source)
        assert network.stored_weights == 40
        np.testing.assert_allclose(outputs(network, np.eye(20)), matrix.toarray(), rtol=1e-6)
        assert network.remarks[0] == NOT_TOLD


def test_files_of_one_matrix_each_make_a_network(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", W1)
    scipy.io.mmwrite(tmp_path / "two.mtx", scipy.sparse.csr_array(W2))
    network = import_network([tmp_path / "one.npy", str(tmp_path / "two.mtx")], layout="out_in")
    x = RANDOM.random((30, 4))
    np.testing.assert_allclose(outputs(network, x), product([(W1, None), (W2, None)], x), rtol=1e-4)


@given(st.lists(stages(), min_size=1, max_size=3), st.data())
def test_outputs_are_those_of_the_matrices_whatever_stages_they_become(built: list[Any], data: Any) -> None:
    chained = [built[0]]
    for _ in built[1:]:
        chained.append(data.draw(stages(chained[-1].n_out)))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    layers = [
        (
            scipy.sparse.csr_array(stage.csr(random.normal(size=stage.weight_shape))),
            random.normal(size=stage.n_out),
        )
        for stage in chained
    ]
    inputs = random.normal(size=(5, chained[0].n_in))
    network = import_network(layers, layout="out_in", activations="relu", inputs=inputs)
    np.testing.assert_allclose(outputs(network, inputs.T), product(layers, inputs.T), rtol=1e-4, atol=1e-4)


def test_biases_inside_a_cascade_are_carried_to_its_end() -> None:
    network = import_network([W1, B1, W2, B2, W3, B3], activations=["none", "relu", "none"])
    hidden = np.maximum(W2 @ (W1 @ INPUTS.T + B1[:, None]) + B2[:, None], 0)
    np.testing.assert_allclose(outputs(network, INPUTS.T), W3 @ hidden + B3[:, None], rtol=1e-4, atol=1e-4)
    assert [len(layer) for layer in network.topology.layers] == [2, 1]
    assert network.stored_biases == 10 + 5


def test_inputs_tell_the_layout_of_one_matrix() -> None:
    assert import_network(W1, inputs=np.ones((3, 30))).topology.n_out == 20
    assert import_network(W1, inputs=np.ones((3, 20))).topology.n_out == 30
    assert import_network(W1, layout="in_out").topology.n_out == 30
    assert NOT_TOLD in import_network(W1).remarks


def test_the_order_can_be_told_by_layers_or_by_arrays(tmp_path: Path) -> None:
    words = {
        "out.weight": W3,
        "seen.weight": W1,
        "hidden.weight": W2,
        "hidden.bias": B2,
        "epoch": np.array(3),
    }
    for order in (["seen", "hidden", "out"], ["seen.weight", "hidden.weight", "hidden.bias", "out.weight"]):
        network = import_network(words, order=order, layout="out_in")
        wanted = product([(W1, None), (W2, B2), (W3, None)], INPUTS.T)
        np.testing.assert_allclose(outputs(network, INPUTS.T), wanted, rtol=1e-4, atol=1e-4)


def test_a_softmax_and_a_last_relu_are_left_out_and_it_is_said() -> None:
    softmax = import_network([W1, W2], activations=["relu", "softmax"])
    assert softmax.remarks[0] == "the softmax after layer 2 is left out: it changes no order of outputs"
    relu = import_network([W1, W2], activations=["relu", "relu"])
    assert relu.remarks[0].startswith("the ReLU after layer 2, the last one, is left out")


SQUARE = RANDOM.normal(size=(20, 20))


@pytest.mark.parametrize(
    ("source", "told", "message"),
    [
        ([SQUARE, SQUARE], {}, "layout is not told by 1 20×20, 2 20×20, which chain both"),
        ([W1, W3], {}, "shapes of matrices are 1 20×30, 2 5×10, allowed are those where the outputs of each"),
        ([W1, W2], {"layout": "in_out"}, "inputs of layer 2 is 10, allowed are 30, the outputs of layer 1"),
        ({"out": W3, "hidden": W2, "seen": W1}, {}, "layout is not told by out 5×10"),
        (
            {"a": SQUARE, "b": SQUARE},
            {"layout": "out_in"},
            "order of matrices is not told by a 20×20, b 20×20",
        ),
        ({"W1": W1, "c": B1}, {}, "name of a vector is 'c', allowed are names that say which matrix they"),
        ({"W1": W1, "weight1": W2}, {}, "name of an array is 'W1', allowed are names that tell layers apart"),
        ({"W1": W1, "epoch": np.array(3)}, {}, "array epoch is 'int64 of shape ()', allowed are matrices"),
        ({"W1": W1}, {"order": ["W2"]}, "order is 'W2', allowed are the names of arrays or layers: W1"),
        ([B1, W1], {}, "array 1 is 'float64 of shape (20,)', allowed are a matrix, or a vector that is"),
        ([W1, W2], {"activations": "tanh"}, "activation after layer 1 is 'tanh', allowed are relu, none"),
        ([W1, W2], {"activations": [1, 2]}, "activations is [1, 2], allowed is a list of words"),
        (
            [W1, W2],
            {"activations": ["relu"] * 3},
            "activations is ['relu', 'relu', 'relu'], allowed are one name",
        ),
        ([W1, W2], {"layout": "rows"}, "layout is 'rows', allowed are auto, out_in, in_out"),
        ([W1, W2], {"order": ["a"]}, "order is ['a'], allowed are none, for a list that is in order"),
        ([W1, W2], {"layout": W1}, "layout is array([["),
        ([W1, W2], {"order": 3}, "order is 3, allowed is a list of words"),
        ([W1, W2], {"name": 3}, "name is 3, allowed is a word"),
        (W1 * 1j, {}, "matrix of layer 1 is 'complex128 of shape (20, 30)', allowed are real numbers"),
        (W1 * np.nan, {}, "a weight of layer 1 is nan, allowed are finite numbers"),
        (W1 * 1e300, {}, "a weight of layer 1 is 1.25"),
        (np.zeros((2, 3, 4)), {}, "array 1 is 'float64 of shape (2, 3, 4)', allowed are a matrix"),
        (7, {}, "network is of type int, allowed are those of a format that is known: arrays, "),
        (
            {"weights": [W1], "biases": [B1, B2]},
            {},
            "biases is 'a list of 2', allowed are as many as weights, 1",
        ),
        ("lenet-300-100-csc", {"layout": "in_out"}, "layout is 'in_out', allowed is none for a source of"),
        ([W1, W2], {"input_range": [3, 1]}, "input_range is (3.0, 1.0), allowed are two finite numbers"),
        (
            [W1, W2],
            {"inputs": np.ones((4, 9))},
            "shape of inputs is (4, 9), allowed are (k, 30), the inputs of",
        ),
        (
            [W1, W2],
            {"inputs": np.full((4, 30), np.nan)},
            "inputs is 'nan at (0, 0)', allowed are",
        ),
        ([W1, W2], {"labels": np.ones(4, int)}, "labels is 'given without inputs', allowed are labels of"),
        ([W1, W2], {"inputs": INPUTS, "labels": np.ones(4, int)}, "labels is '4 long', allowed are 40"),
        (
            [W1, W2],
            {"inputs": INPUTS, "labels": np.full(40, 10)},
            "largest label is 10, allowed are 0 to 9",
        ),
        ([W1, W2], {"inputs": "nowhere.npy"}, "file is 'nowhere.npy', which cannot be read"),
    ],
)
def test_what_is_not_told_is_refused_with_what_to_say(
    source: Any, told: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        import_network(source, **told)
    assert type(caught.value).__module__.startswith("workloads.")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert not str(caught.value).endswith(".")
