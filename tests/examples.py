"""What lies in the folder of examples, for all tests that walk it."""

from __future__ import annotations

from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
_HEADS = {path: path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.yaml"))}
SPACES = [path for path, text in _HEADS.items() if "\naxes:" in text]
DESIGNS = [path for path, text in _HEADS.items() if "\nnetwork:" in f"\n{text}"]
"""The design points; a space of them is none, nor is a file of several by name."""
