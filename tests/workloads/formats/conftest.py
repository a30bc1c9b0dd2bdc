"""Settings that the tests of formats share."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.workloads.formats.onnx_models import RANDOM, SEED


@pytest.fixture(autouse=True)
def _the_same_numbers() -> None:
    """Every test draws the same numbers, whichever ran before it."""
    RANDOM.bit_generator.state = np.random.default_rng(SEED).bit_generator.state
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)
