"""What lies in the folder of examples, for all tests that walk it."""

from __future__ import annotations

from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
DESIGNS = sorted(set(EXAMPLES.glob("*.yaml")) - {EXAMPLES / "sweep.yaml"})
"""The design points; a sweep is no design point."""
