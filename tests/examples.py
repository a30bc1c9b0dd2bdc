"""What lies in the folder of examples, for all tests that walk it."""

from __future__ import annotations

from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
SPACES = [EXAMPLES / "search.yaml", EXAMPLES / "sweep.yaml"]
DESIGNS = sorted(set(EXAMPLES.glob("*.yaml")) - {*SPACES})
"""The design points; a space of them is none."""
