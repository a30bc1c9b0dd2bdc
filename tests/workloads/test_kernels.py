"""The fast kernels multiply as the plain ones do, whatever the stage and the number of threads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.reference_kernel import ReferenceKernel
from tests.workloads.strategies import stages
from workloads import BlockStage, CscStage, PrunedStage, Stage
from workloads.kernels.cyclic import FAR, RingKernel
from workloads.kernels.gather import GatherKernel
from workloads.kernels.kernel import Kernel
from workloads.kernels.stages import kernel_of
from workloads.kernels.threads import WORTH_SHARING, share, threads, use_threads
from workloads.kernels.update import adam_update

# Sums of at most some dozens of products of numbers near 1, whose order and fusing are free.
ROUNDING = {np.float32: 2e-5, np.float64: 1e-13}


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = threads()
    use_threads(3)
    yield
    use_threads(before)


def reference(stage: Stage) -> Kernel:
    ends = np.concatenate(([0], np.cumsum(stage.row_lengths())))
    return ReferenceKernel(stage.n_in, stage.n_out, ends, stage.columns(), weight_shape=stage.weight_shape)


def draw(stage: Stage, batch: int, seed: int, dtype: Any) -> list[np.ndarray[Any, Any]]:
    random = np.random.default_rng(seed)
    shapes = (stage.weight_shape, (stage.n_in, batch), (stage.n_out, batch))
    return [random.normal(size=shape).astype(dtype) for shape in shapes]


def products(kernel: Kernel, weights: Any, x: Any, dy: Any) -> dict[str, np.ndarray[Any, Any]]:
    gradient, dx = kernel.gradients(weights, x, dy)
    return {
        "y": kernel.forward(weights, x),
        "dx": kernel.input_gradient(weights, dy),
        "dW": kernel.weight_gradient(x, dy),
        "dx of both": dx,
        "dW of both": gradient,
    }


@given(stages(), st.integers(1, 40), st.integers(0, 99), st.sampled_from([np.float32, np.float64]))
def test_every_kernel_multiplies_as_the_plain_one(stage: Stage, batch: int, seed: int, dtype: Any) -> None:
    given_ = draw(stage, batch, seed, dtype)
    expected = products(reference(stage), *given_)
    for name, found in products(kernel_of(stage), *given_).items():
        assert found.dtype == dtype, name
        np.testing.assert_allclose(
            found, expected[name], rtol=ROUNDING[dtype], atol=ROUNDING[dtype], err_msg=name
        )


@pytest.mark.parametrize("stage", [CscStage(64, 64, 16, 4), CscStage(51, 51, 17, 2), CscStage(32, 32, 12, 1)])
def test_a_square_csc_stage_of_many_taps_multiplies_ring_by_ring(stage: Stage) -> None:
    assert isinstance(kernel_of(stage), RingKernel)


@pytest.mark.parametrize("stage", [CscStage(64, 64, 7, 2), CscStage(64, 32, 16, 4), CscStage(16, 16, 4, 4)])
def test_other_csc_stages_are_loops_over_connections(stage: Stage) -> None:
    kernel = kernel_of(stage)
    assert isinstance(kernel, GatherKernel)
    assert not isinstance(kernel, RingKernel)


@given(st.integers(3, 40), st.integers(1, 6), st.integers(0, 37), st.integers(1, 20), st.integers(0, 99))
def test_rings_of_any_number_of_taps_and_places_multiply_as_the_plain_kernel(
    taps: int, rings: int, more: int, batch: int, seed: int
) -> None:
    stage = CscStage((taps + more) * rings, (taps + more) * rings, taps, rings)
    given_ = draw(stage, batch, seed, np.float64)
    expected = products(reference(stage), *given_)
    for name, found in products(RingKernel(stage.n_in, taps, rings), *given_).items():
        np.testing.assert_allclose(found, expected[name], rtol=1e-12, atol=1e-12, err_msg=name)


@given(stages())
def test_no_examples_have_no_outputs_and_no_gradient(stage: Stage) -> None:
    found = products(kernel_of(stage), *draw(stage, 0, 0, np.float32))
    assert found["y"].shape == (stage.n_out, 0)
    assert found["dx"].shape == found["dx of both"].shape == (stage.n_in, 0)
    assert (found["dW"] == 0).all()
    assert (found["dW of both"] == 0).all()


def test_a_kernel_takes_arrays_that_are_not_contiguous_and_mixed_types() -> None:
    stage = CscStage(30, 20, 5, 7)
    weights, x, dy = draw(stage, 12, 1, np.float64)
    expected = products(reference(stage), weights, x, dy)
    spread = np.asfortranarray(x), np.repeat(dy, 2, axis=1)[:, ::2].astype(np.float32)
    found = products(kernel_of(stage), weights, *spread)
    np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-12)
    np.testing.assert_allclose(found["dx of both"], expected["dx"], rtol=1e-5, atol=1e-5)


def test_no_number_of_the_inputs_is_taken_for_finite() -> None:
    stage = CscStage(8, 8, 4, 1)
    weights, x, dy = draw(stage, 16, 2, np.float32)
    x[3, 5], dy[2, 7] = np.nan, np.inf
    found = products(kernel_of(stage), weights, x, dy)
    with np.errstate(invalid="ignore"):
        expected = products(reference(stage), weights, x, dy)
    for name, array in found.items():
        np.testing.assert_array_equal(np.isfinite(array), np.isfinite(expected[name]), err_msg=name)


def random_pattern(n: int, weights: int) -> PrunedStage:
    places = np.unique(np.random.default_rng(0).integers(0, n * n, size=weights))
    return PrunedStage(n, n, np.searchsorted(places // n, np.arange(n + 1)), places % n)


@pytest.mark.parametrize(
    "stage",
    [
        CscStage(1024, 1024, 32, 32),
        CscStage(2048, 2048, 64, 32),
        CscStage(2048, 1024, 64, 64),
        BlockStage(64, 32, 128),
        random_pattern(1500, 40_000),
    ],
    ids=lambda stage: stage.kind,
)
def test_bits_do_not_depend_on_the_number_of_threads(stage: Stage, three_threads: None) -> None:
    given_ = draw(stage, 128, 3, np.float32)
    kernel = kernel_of(stage)
    shared = products(kernel, *given_)
    again = products(kernel, *given_)
    use_threads(1)
    alone = products(kernel, *given_)
    expected = products(reference(stage), *given_)
    for name in alone:
        np.testing.assert_array_equal(shared[name], alone[name], err_msg=name)
        np.testing.assert_array_equal(shared[name], again[name], err_msg=name)
        np.testing.assert_allclose(alone[name], expected[name], rtol=1e-3, atol=1e-3, err_msg=name)


def test_a_stage_that_reads_from_all_over_the_ring_takes_its_outputs_class_by_class() -> None:
    kernel = kernel_of(CscStage(4096, 4096, 4, 1024))
    assert isinstance(kernel, GatherKernel)
    assert FAR < 4 * 1024
    assert kernel.output_order[:4].tolist() == [0, 1024, 2048, 3072]
    assert sorted(kernel.output_order.tolist()) == list(range(4096))


def parts_of(count: int, work: int) -> int:
    """In how many parts the range is done, every place once."""
    parts: list[tuple[int, int]] = []
    share(count, work, lambda start, stop: parts.append((start, stop)))
    assert sorted(place for part in parts for place in range(*part)) == list(range(count))
    return len(parts)


@given(st.integers(1, 50), st.integers(1, 9))
def test_parts_cover_the_range_once_and_only_when_there_is_enough_to_do(count: int, many: int) -> None:
    before = threads()
    use_threads(many)
    try:
        for work in (0, WORTH_SHARING):
            assert parts_of(count, work) == (min(many, count) if work else 1)
    finally:
        use_threads(before)


def test_an_error_in_a_part_reaches_the_caller(three_threads: None) -> None:
    def part(start: int, stop: int) -> None:
        if start:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        share(9, WORTH_SHARING, part)


FORK = """
import multiprocessing
from workloads.kernels.threads import WORTH_SHARING, share, use_threads

def work():
    share(9, WORTH_SHARING, lambda start, stop: None)

use_threads(2)
work()
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join(60)
print(child.exitcode)
"""


def test_a_child_process_starts_threads_of_its_own() -> None:
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, check=True
    )
    assert told.stdout == "0\n"


@pytest.mark.parametrize("count", [0, -2, "many"])
def test_a_count_of_threads_is_a_positive_integer(count: Any) -> None:
    with pytest.raises(ValueError, match=r"count of threads is .*, allowed are integers of at least 1"):
        use_threads(count)


def test_the_environment_says_how_many_threads() -> None:
    code = "from workloads.kernels.threads import threads; print(threads())"
    told = subprocess.run(
        [sys.executable, "-c", code], env={"ARCHSIM_THREADS": "3"}, capture_output=True, text=True, check=True
    )
    assert told.stdout == "3\n"


def test_the_compiler_is_not_loaded_before_a_kernel_multiplies() -> None:
    code = (
        "import sys, workloads; from workloads.kernels.stages import kernel_of; "
        "kernel_of(workloads.CscStage(8, 8, 2, 1)); print('numba' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


@given(
    st.integers(1, 60),
    st.integers(1, 5),
    st.floats(0, 0.1),
    st.integers(0, 99),
    st.sampled_from([np.float32, np.float64]),
)
def test_the_compiled_update_has_the_bits_of_adam(
    size: int, steps: int, decay: float, seed: int, dtype: Any
) -> None:
    random = np.random.default_rng(seed)
    weights, first, second = (
        random.normal(size=size).astype(dtype),
        np.zeros(size, dtype),
        np.zeros(size, dtype),
    )
    ours = [array.copy() for array in (weights, first, second)]
    for step in range(1, steps + 1):
        gradient = random.normal(size=size).astype(dtype)
        rate, scale = 0.01 / (1 - 0.9**step), 1 / (1 - 0.999**step) ** 0.5
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient * gradient - second)
        weights *= 1 - decay
        weights -= rate * first / (np.sqrt(second) * scale + 1e-8)
        arrays = [np.split(array, [size // 3, size // 2]) for array in (ours[0], gradient, *ours[1:])]
        adam_update(
            *arrays,
            first_share=0.1,
            second_share=0.001,
            keep=1 - decay,
            size=rate,
            scale=scale,
            epsilon=1e-8,
        )
    for found, expected in zip(ours, (weights, first, second), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_weights_that_an_update_could_not_change_in_place_are_refused() -> None:
    arrays = tuple(np.zeros((4, 4), np.float32) for _ in range(4))
    weights, gradient, first, second = arrays
    with pytest.raises(
        ValueError, match=r"weights has strides \(4, 16\), allowed are those of a contiguous array"
    ):
        adam_update(
            [weights.T],
            [gradient],
            [first],
            [second],
            first_share=0.1,
            second_share=0.001,
            keep=1,
            size=0.01,
            scale=1,
            epsilon=1e-8,
        )


STEP = """
import json, resource, sys
import numpy as np
from workloads import build_layer
from workloads.training.models.cascade import Cascade
from workloads.training.models.model import initial_weights
from workloads.training.optimisers import Adam

family, parameters, n = json.loads(sys.argv[1])
random = np.random.default_rng(0)

def step(n):
    stages = build_layer(family, n, n, **parameters)
    cascade = Cascade(stages, (False,) * len(stages))
    weights = [initial_weights(each, random) for each in stages]
    x, dy = (random.random(size=(n, 128), dtype=np.float32) for _ in range(2))
    signals = [x, *cascade.forward(weights, x)]
    gradients, dx = cascade.backward(weights, signals[:-1], dy)
    Adam(weights, weight_decay=0.0).step(weights, gradients, 1e-3)
    return sum(array.nbytes for array in weights), sum(array.nbytes for array in signals), x.nbytes

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

step(256)
before = peak()
print(json.dumps([*step(n), peak() - before, peak()]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "parameters"),
    [("csc", {"fan_in": 4}), ("clos", {"ingress": 256, "middle": 16, "egress": 256})],
)
def test_a_step_of_65536_inputs_holds_its_weights_and_activations_and_no_dense_matrix(
    family: str, parameters: dict[str, int]
) -> None:
    n = 65_536
    told = subprocess.run(
        [sys.executable, "-c", STEP, json.dumps([family, parameters, n])],
        capture_output=True,
        text=True,
        check=True,
    )
    weights, activations, activation, grown, peak = json.loads(told.stdout)
    # A weight of 4 bytes has a gradient, two moments and an index of 12 bytes, made from arrays of integers
    # of 8 bytes; beside the activations kept for backward, two or three of one width are under way.
    assert grown < 16 * weights + activations + 3 * activation
    assert peak < 4e9 < 4 * n * n
