"""A cache that a run of the tests begins without, so that nothing is answered from an earlier one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def run_cache(folders: pytest.TempPathFactory) -> Path:
    """Where all processes of this run keep what they synthesised, so that each netlist is mapped once."""
    base = folders.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
