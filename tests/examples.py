"""What lies in the folder of examples, for all tests that walk it."""

from __future__ import annotations

from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
_FILES = sorted(EXAMPLES.glob("*.yaml"))
SPACES = [path for path in _FILES if "\naxes:" in path.read_text(encoding="utf-8")]
DESIGNS = [path for path in _FILES if path not in SPACES]
"""The design points; a space of them is none."""
