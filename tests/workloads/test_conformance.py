"""What every family must keep to, asked of all its examples; a family of a user is asked too."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.workloads.definitions import DEFINITIONS, Definition
from workloads import CscStage, Stage, Topology, TrainedNetwork, build_layer
from workloads.families import Example, families, fit_budget, layer_weights
from workloads.kernels.stages import kernel_of
from workloads.topology.network import Calibration

Check = Callable[[str, Example, Definition], None]
CASES = [
    pytest.param(name, example, id=f"{name}-{number}")
    for name, registered in families.items()
    for number, example in enumerate(registered.examples)
]


def cascade(name: str, example: Example) -> tuple[Stage, ...]:
    return build_layer(name, example.n_in, example.n_out, **example.parameters)


def whole_numbers(shape: tuple[int, ...], seed: int) -> NDArray[np.float64]:
    """Small integers in floating point, whose sums and products are exact."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(np.float64)


def the_weights_are_those_of_the_formula(name: str, example: Example, definition: Definition) -> None:
    stages = cascade(name, example)
    stored = sum(int(np.prod(stage.weight_shape)) for stage in stages)
    assert stored == sum(stage.adjacency().nnz for stage in stages)
    assert layer_weights(name, example.n_in, example.n_out, **example.parameters) == stored


def the_mask_is_that_of_the_definition(name: str, example: Example, definition: Definition) -> None:
    matrices = [stage.adjacency().toarray() for stage in cascade(name, example)]
    assert all(each.max(initial=0) <= 1 for each in matrices)
    sizes = [matrices[0].shape[1], *(each.shape[0] for each in matrices)]
    assert (sizes[0], sizes[-1]) == (example.n_in, example.n_out)
    assert all(each.shape == (b, a) for each, (a, b) in zip(matrices, itertools.pairwise(sizes), strict=True))
    definition(matrices, example.n_in, example.n_out, **example.parameters)


def the_kernels_multiply_as_the_dense_matrices_do(
    name: str, example: Example, definition: Definition
) -> None:
    """Forward and both gradients, exactly: all numbers are small integers."""
    for number, stage in enumerate(cascade(name, example)):
        weights = whole_numbers(stage.weight_shape, number)
        x, dy = whole_numbers((stage.n_in, 5), 10 + number), whole_numbers((stage.n_out, 5), 20 + number)
        dense = np.zeros((stage.n_out, stage.n_in))
        rows, columns = np.repeat(np.arange(stage.n_out), stage.row_lengths()), stage.columns()
        dense[rows, columns] = weights.ravel()
        kernel = kernel_of(stage)
        np.testing.assert_array_equal(kernel.forward(weights, x), dense @ x)
        np.testing.assert_array_equal(kernel.input_gradient(weights, dy), dense.T @ dy)
        slope = kernel.weight_gradient(x, dy)
        assert slope.shape == stage.weight_shape
        np.testing.assert_array_equal(slope.ravel(), (dy @ x.T)[rows, columns])


def connectivity_and_paths_are_those_of_a_walk(name: str, example: Example, definition: Definition) -> None:
    topology = Topology((cascade(name, example),))
    reads = [np.split(stage.columns(), np.cumsum(stage.row_lengths())[:-1]) for stage in topology.stages]
    counts = np.zeros((example.n_out, example.n_in), dtype=np.int64)
    for output in range(example.n_out):
        walkers = {output: 1}
        for stage in reversed(reads):
            before: dict[int, int] = {}
            for place, number in walkers.items():
                for source in stage[place].tolist():
                    before[source] = before.get(source, 0) + number
            walkers = before
        for source, number in walkers.items():
            counts[output, source] = number
    np.testing.assert_array_equal(topology.paths(0), counts)
    assert topology.is_fully_connected() == bool((counts > 0).all())


def a_layer_is_the_same_each_time(name: str, example: Example, definition: Definition) -> None:
    assert cascade(name, example) == cascade(name, example)


def a_network_comes_back_from_its_file(name: str, example: Example, definition: Definition) -> None:
    topology = Topology((cascade(name, example),))
    weights = tuple(whole_numbers(stage.weight_shape, 0).astype(np.float32) for stage in topology.stages)
    ranges = tuple((1.0,) for _ in weights)
    network = TrainedNetwork("small", topology, weights, Calibration((100.0,), ranges), {"seed": 0})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.npz"
        network.save(path)
        read = TrainedNetwork.load(path)
    assert read.topology == topology
    for before, after in zip(network.weights, read.weights, strict=True):
        np.testing.assert_array_equal(before, after)


CHECKS: list[Check] = [
    the_weights_are_those_of_the_formula,
    the_mask_is_that_of_the_definition,
    the_kernels_multiply_as_the_dense_matrices_do,
    connectivity_and_paths_are_those_of_a_walk,
    a_layer_is_the_same_each_time,
    a_network_comes_back_from_its_file,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "example"), CASES)
def test_a_family_conforms(name: str, example: Example, check: Check) -> None:
    check(name, example, DEFINITIONS[name])


def test_every_family_of_the_package_has_a_definition() -> None:
    assert set(DEFINITIONS) == {
        name for name, each in families.items() if each.build.__module__.startswith("workloads.")
    }


@pytest.mark.parametrize("name", [name for name, each in families.items() if each.grid is not None])
@pytest.mark.parametrize(("n_in", "n_out", "budget"), [(60, 24, 600), (24, 60, 250), (32, 32, 512)])
def test_a_budget_is_fitted_as_closely_as_the_grid_allows(
    name: str, n_in: int, n_out: int, budget: int
) -> None:
    grid = families[name].grid
    assert grid is not None
    chosen = fit_budget(name, n_in, n_out, budget)
    distances = [
        abs(layer_weights(name, n_in, n_out, **parameters) - budget) for parameters in grid(n_in, n_out)
    ]
    stored = Topology((build_layer(name, n_in, n_out, **chosen),)).stored_weights
    near = [distance for distance in distances if distance <= 0.02 * budget]
    assert abs(stored - budget) == (near[0] if near else min(distances))


@pytest.mark.parametrize("name", [name for name in families if name != "pruned"])
def test_every_family_can_build_the_layers_of_lenet(name: str) -> None:
    for n_in, n_out in ((784, 300), (300, 100), (100, 10)):
        chosen = fit_budget(name, n_in, n_out, n_in * n_out // 10)
        topology = Topology((build_layer(name, n_in, n_out, **chosen),))
        assert (topology.n_in, topology.n_out) == (n_in, n_out)


@pytest.fixture
def ring() -> Iterator[str]:
    """A family that a user writes: every output reads a few neighbours on a ring."""
    name = "ring-of-a-user"

    @families.register(
        name,
        weights=lambda n_in, n_out, *, reach: n_out * reach,
        examples=[(12, 9, {"reach": 3}), (5, 5, {"reach": 5})],
    )
    def build(n_in: int, n_out: int, *, reach: int) -> tuple[Stage, ...]:
        return (CscStage(n_in, n_out, reach, 1),)

    yield name
    del families._members[name]


def neighbours(found: list[Any], n_in: int, n_out: int, reach: int) -> None:
    (stage,) = found
    for output, row in enumerate(stage):
        assert set(np.flatnonzero(row)) == {(output + step) % n_in for step in range(reach)}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_family_that_a_user_registers_conforms(ring: str, check: Check) -> None:
    for example in families[ring].examples:
        check(ring, example, neighbours)


def test_the_suite_catches_a_family_that_miscounts(ring: str) -> None:
    wrong = Example(4, 4, {"reach": 9})
    with pytest.raises(AssertionError):
        the_weights_are_those_of_the_formula(ring, wrong, neighbours)
