"""Tiles of vector registers multiply as NumPy does, for every size, layout and processor."""

from __future__ import annotations

import json
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

from workloads.kernels_blocks import BlocksKernel, block_kernel
from workloads.kernels_tiles import multiply_blocks

MARGIN = 7
UNTOUCHED = -1234.5


@given(
    blocks=st.integers(1, 3),
    rows=st.integers(1, 20),
    depth=st.integers(1, 40),
    columns=st.integers(1, 150),
    left_turned=st.booleans(),
    right_turned=st.booleans(),
    gap=st.integers(0, 5),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def test_blocks_are_multiplied_and_nothing_else_is_written(
    blocks: int,
    rows: int,
    depth: int,
    columns: int,
    left_turned: bool,
    right_turned: bool,
    gap: int,
    dtype: Any,
    seed: int,
) -> None:
    """Rows of a factor lie side by side, or its columns do; between rows there are gaps."""
    random = np.random.default_rng(seed)

    def factor(height: int, width: int, turned: bool) -> tuple[Any, Any, tuple[int, int]]:
        lines, line = (width, height) if turned else (height, width)
        array = random.normal(size=(blocks, lines, line + gap)).astype(dtype)
        values = array[:, :, :line]
        steps = (1, line + gap) if turned else (line + gap, 1)
        return array, values.swapaxes(1, 2) if turned else values, steps

    left, left_values, left_steps = factor(rows, depth, left_turned)
    right, right_values, right_steps = factor(depth, columns, right_turned)
    out = np.full((blocks, rows, columns + MARGIN), UNTOUCHED, dtype)
    every = np.arange(blocks)
    multiply_blocks(
        left.reshape(-1),
        every * left[0].size,
        1,
        *left_steps,
        right.reshape(-1),
        every,
        right[0].size,
        *right_steps,
        out.reshape(-1),
        every * rows,
        columns + MARGIN,
        columns + MARGIN,
        rows,
        depth,
        columns,
        0,
        blocks,
    )
    rounding = 1e-4 if dtype is np.float32 else 1e-12
    expected = left_values @ right_values
    np.testing.assert_allclose(out[:, :, :columns], expected, rtol=rounding, atol=rounding)
    assert (out[:, :, columns:] == UNTOUCHED).all()


def test_blocks_outside_the_range_are_left_alone() -> None:
    kernel = block_kernel(4, 3, 2)
    assert isinstance(kernel, BlocksKernel)
    weights, x = np.ones((4, 2, 3), np.float32), np.ones((12, 5), np.float32)
    out = np.full((8, 5), UNTOUCHED, np.float32)
    starts = kernel.outputs.starts, kernel.inputs.starts
    given = (weights.reshape(-1), kernel.weights.starts, 1, 3, 1, x.reshape(-1), starts[1], 5, 20, 1)
    multiply_blocks(*given, out.reshape(-1), starts[0], 5, 5, 2, 3, 5, 1, 3)
    assert (out[2:6] == 3).all()
    assert (out[:2] == UNTOUCHED).all()
    assert (out[6:] == UNTOUCHED).all()


ELSEWHERE = """
import json
import numpy as np
from workloads.kernels_blocks import block_kernel
from workloads.kernels_tiles import VECTOR_BYTES

kernel, random = block_kernel(5, 19, 23), np.random.default_rng(0)
shapes = (5, 23, 19), (95, 77), (115, 77)
weights, x, dy = (random.normal(size=shape).astype(np.float32) for shape in shapes)
gradient, dx = kernel.gradients(weights, x, dy)
arrays = kernel.forward(weights, x), gradient, dx
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
    kernel, random = block_kernel(5, 19, 23), np.random.default_rng(0)
    shapes = (5, 23, 19), (95, 77), (115, 77)
    weights, x, dy = (random.normal(size=shape).astype(np.float32) for shape in shapes)
    here = kernel.forward(weights, x), *kernel.gradients(weights, x, dy)
    for one, other in zip(arrays, here, strict=True):
        np.testing.assert_allclose(np.reshape(one, other.shape), other, rtol=1e-4, atol=1e-4)
