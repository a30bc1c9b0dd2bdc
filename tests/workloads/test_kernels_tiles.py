"""Tiles of vector registers multiply as NumPy does, for every size, layout and processor."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvmlite import binding

from workloads import BlockStage, CscStage, Stage
from workloads.kernels.blocks import block_kernel
from workloads.kernels.cyclic import BandKernel
from workloads.kernels.kernel import TILE_ROWS, TiledKernel
from workloads.topology.stages import KroneckerStage

MARGIN = 64
UNTOUCHED = -1234.5
ROUNDING = {np.float32: 2e-4, np.float64: 1e-12}

sizes = st.integers(1, 20)
bands = (
    st.integers(TILE_ROWS, 90)
    .flatmap(
        lambda n: st.builds(CscStage, st.just(n), st.just(n), st.integers(TILE_ROWS, n), st.integers(1, n))
    )
    .filter(lambda stage: stage.taps >= TILE_ROWS)
)


def tiled(stage: Stage) -> TiledKernel:
    """The kernel of a stage in tiles, wherever tiles can multiply it at all."""
    if isinstance(stage, CscStage):
        return BandKernel(stage.n_in, stage.taps, stage.stride)
    kernel = stage.kernel()
    assert isinstance(kernel, TiledKernel)
    return kernel


def guarded(shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
    """An array, and the memory around it."""
    size = math.prod(shape)
    memory = np.full(size + 2 * MARGIN, UNTOUCHED, dtype)
    return memory[MARGIN : MARGIN + size].reshape(shape), memory


@given(
    stage=st.builds(BlockStage, sizes, sizes, sizes)
    | st.builds(KroneckerStage, sizes, sizes, sizes, st.integers(1, 5))
    | bands,
    batch=st.integers(1, 150),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def test_tiles_multiply_as_plain_products_and_write_nothing_else(
    stage: Stage, batch: int, dtype: Any, seed: int
) -> None:
    kernel, random = tiled(stage), np.random.default_rng(seed)
    shapes = stage.weight_shape, (stage.n_in, batch), (stage.n_out, batch)
    weights, x, dy = (random.normal(size=shape).astype(dtype) for shape in shapes)
    (gradient, dx, y), memories = zip(*(guarded(shape, dtype) for shape in shapes), strict=True)
    kernel._products(weights, x, y, back=False)(0, kernel.parts)
    kernel._products(weights, dy, dx, back=True)(0, kernel.parts)
    kernel._correlations(dy, x, gradient)(0, kernel.parts)
    places = np.repeat(np.arange(stage.n_out), stage.row_lengths()), stage.columns()
    matrix = np.zeros((stage.n_out, stage.n_in), dtype)
    matrix[places] = weights.ravel()
    expected = {"y": matrix @ x, "dx": matrix.T @ dy, "dW": (dy @ x.T)[places].reshape(gradient.shape)}
    for (name, one), found in zip(expected.items(), (y, dx, gradient), strict=True):
        np.testing.assert_allclose(found, one, rtol=ROUNDING[dtype], atol=ROUNDING[dtype], err_msg=name)
    for memory in memories:
        assert (memory[:MARGIN] == UNTOUCHED).all()
        assert (memory[-MARGIN:] == UNTOUCHED).all()


@pytest.mark.parametrize("stage", [BlockStage(6, 3, 5), CscStage(300, 300, 26, 26), CscStage(60, 60, 12, 5)])
def test_parts_that_are_not_asked_for_are_left_alone(stage: Stage) -> None:
    kernel = tiled(stage)
    assert kernel.parts > 2
    x, weights = np.ones((stage.n_in, 5)), np.ones(stage.weight_shape)
    whole = kernel.forward(weights, x)
    y, _ = guarded(whole.shape, float)
    kernel._products(weights, x, y, back=False)(1, 2)
    written = (y != UNTOUCHED).all(axis=1)
    assert 0 < written.sum() < stage.n_out
    np.testing.assert_array_equal(y[written], whole[written])
    assert (y[~written] == UNTOUCHED).all()


def test_a_band_of_fewer_taps_than_a_tile_has_rows_is_refused() -> None:
    with pytest.raises(
        ValueError, match="taps of a band are 5; they must be 6 to 20, the places of its ring"
    ):
        BandKernel(20, 5, 1)
    with pytest.raises(ValueError, match="taps of a band are 8; they must be 6 to 4, the places of its ring"):
        BandKernel(20, 8, 5)


ELSEWHERE = """
import json
import numpy as np
from workloads.kernels.blocks import block_kernel
from workloads.kernels.cyclic import BandKernel
from workloads.kernels.tiles import VECTOR_BYTES

arrays, random = [], np.random.default_rng(0)
for kernel in (block_kernel(5, 19, 23), BandKernel(95, 19, 7)):
    shapes = kernel.weight_shape, (kernel.n_in, 77), (kernel.n_out, 77)
    weights, x, dy = (random.normal(size=shape).astype(np.float32) for shape in shapes)
    arrays += [kernel.forward(weights, x), *kernel.gradients(weights, x, dy)]
print(json.dumps([VECTOR_BYTES, *(array.ravel().tolist() for array in arrays)]))
"""


PROCESSORS = {"x86-64": ("", "sse2", 32), "haswell": ("+avx,+avx2,+fma", "avx2", 32)} | {
    "skylake-avx512": ("+avx512f,+avx512vl", "avx512vl", 64)
}
HERE = binding.get_host_cpu_features()


@pytest.mark.parametrize(
    "processor", [name for name, (_, needed, _) in PROCESSORS.items() if HERE.get(needed, False)]
)
def test_other_processors_get_tiles_of_their_own(processor: str, tmp_path: Path) -> None:
    """Those whose code runs here."""
    features, _, vector_bytes = PROCESSORS[processor]
    told = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], env=os.environ | told, capture_output=True, text=True, check=True
    )
    width, *arrays = json.loads(found.stdout)
    assert width == vector_bytes
    here, random = [], np.random.default_rng(0)
    kernels = block_kernel(5, 19, 23), BandKernel(95, 19, 7)
    for kernel in kernels:
        assert isinstance(kernel, TiledKernel)
        shapes = kernel.weight_shape, (kernel.n_in, 77), (kernel.n_out, 77)
        weights, x, dy = (random.normal(size=shape).astype(np.float32) for shape in shapes)
        here += [kernel.forward(weights, x), *kernel.gradients(weights, x, dy)]
    for one, other in zip(arrays, here, strict=True):
        np.testing.assert_allclose(np.reshape(one, other.shape), other, rtol=1e-4, atol=1e-4)
