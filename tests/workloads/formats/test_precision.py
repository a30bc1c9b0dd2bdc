"""Whatever format weights come in, 32-bit floats hold them: a connection stays one, nothing is infinite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from tests.workloads.formats import onnx_models as om
from workloads import CscStage, import_network
from workloads.importers.precision import NORMAL, SMALLEST
from workloads.topology.network import NetworkFileError

RING = CscStage(16, 16, 4, 3)
"""A pattern that one connection less is no ring any more."""


def ring(**changed: float) -> NDArray[np.float64]:
    """A matrix of the ring whose first weights are changed."""
    weights = np.random.default_rng(0).uniform(0.5, 1, RING.weight_shape)
    weights.ravel()[: len(changed)] = list(changed.values())
    return RING.csr(weights).toarray()


def _saved(matrix: NDArray[Any], folder: Path) -> Path:
    np.savez(folder / "own.npz", W=matrix)
    return folder / "own.npz"


def _sparse_file(matrix: NDArray[Any], folder: Path) -> Path:
    scipy.sparse.save_npz(folder / "own.npz", scipy.sparse.csr_array(matrix))
    return folder / "own.npz"


def _market(matrix: NDArray[Any], folder: Path) -> Path:
    scipy.io.mmwrite(folder / "own.mtx", scipy.sparse.csr_array(matrix))
    return folder / "own.mtx"


def _state_dict(matrix: NDArray[Any], folder: Path) -> Any:
    torch = pytest.importorskip("torch")
    return {"weight": torch.from_numpy(matrix)}


def _module(matrix: NDArray[Any], folder: Path) -> Any:
    torch = pytest.importorskip("torch")
    linear = torch.nn.Linear(*matrix.shape[::-1], bias=False).double()
    linear.load_state_dict({"weight": torch.from_numpy(matrix)})
    return linear


def _safetensors(matrix: NDArray[Any], folder: Path) -> Path:
    numpy_files = pytest.importorskip("safetensors.numpy")
    numpy_files.save_file({"weight": matrix}, folder / "own.safetensors")
    return folder / "own.safetensors"


def _onnx(matrix: NDArray[Any], folder: Path) -> Any:
    double = om.TensorProto.DOUBLE
    return om.model([om.node("MatMul", "x W", "y")], {"W": matrix.T}, ("N", 16), kind=double)


SOURCES: dict[str, Callable[[NDArray[Any], Path], Any]] = {
    "array": lambda matrix, folder: matrix,
    "sparse array": lambda matrix, folder: scipy.sparse.coo_array(matrix),
    "extended precision": lambda matrix, folder: matrix.astype(np.longdouble),
    "npz": _saved,
    "sparse npz": _sparse_file,
    "matrix market": _market,
    "state dict": _state_dict,
    "module": _module,
    "safetensors": _safetensors,
    "onnx": _onnx,
}
of_every_format = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


@of_every_format
def test_a_weight_that_is_next_to_nothing_stays_a_connection(source: Any, tmp_path: Path) -> None:
    network = import_network(source(ring(first=-1e-60, second=1e-300), tmp_path))
    assert network.topology.stages == (RING,)
    first, second, *others = network.weights[0].ravel()
    assert (float(first), float(second)) == (-SMALLEST, SMALLEST)
    assert min(others) >= 0.5
    (told,) = (remark for remark in network.remarks if "nearer to zero" in remark)
    assert told.startswith("2 of 64 weights of layer ")


@of_every_format
def test_a_weight_that_is_too_large_is_refused_by_its_layer_and_its_value(
    source: Any, tmp_path: Path
) -> None:
    with pytest.raises(
        NetworkFileError,
        match=r"^a weight of layer .* is -1e\+300, allowed are finite numbers that 32-bit floats hold$",
    ):
        import_network(source(ring(first=0.5, second=-1e300), tmp_path))


@of_every_format
@pytest.mark.parametrize("scale", [1e-44, 1e-60])
def test_a_layer_that_would_be_another_is_refused_by_its_largest_weight(
    source: Any, scale: float, tmp_path: Path
) -> None:
    power = f"{scale / 10:.0e}"[1:]
    with pytest.raises(NetworkFileError, match=rf"^the largest weight of layer .* is 9\.986{power}, allowed"):
        import_network(source(ring() * scale, tmp_path))


def test_floats_that_are_narrow_already_are_taken_as_they_are() -> None:
    matrix = (ring() * 1e-40).astype(np.float32)
    network = import_network(matrix)
    np.testing.assert_array_equal(network.topology.stages[0].csr(network.weights[0]).toarray(), matrix)
    assert not any("nearer" in remark for remark in network.remarks)


def test_a_bias_that_is_carried_beyond_the_range_is_refused() -> None:
    layers = [np.eye(3, 4) * 1e30, np.full(3, 1e30), np.eye(2, 3) * 1e30]
    with pytest.raises(NetworkFileError, match=r"^a bias of layer 3, with those carried to it, is 1e\+60"):
        import_network(layers, activations="none")


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=True)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_a_matrix_comes_over_within_the_last_place_of_its_largest_or_is_refused(values: list[float]) -> None:
    matrix = np.array([values])
    largest = np.abs(matrix).max()
    try:
        network = import_network(matrix, layout="out_in", input_range=(0, 1e-9))
    except NetworkFileError:
        network = None
    if network is None:
        assert not NORMAL <= largest < 1e38
        return
    held = network.topology.stages[0].csr(network.weights[0]).toarray()
    np.testing.assert_array_equal(held != 0, matrix != 0)
    assert np.abs(held - matrix).max() <= 2.0**-23 * largest
