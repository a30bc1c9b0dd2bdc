"""The files of `examples` that tests read."""

from __future__ import annotations

from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"
DESIGNS = [
    path
    for path in sorted(EXAMPLES.glob("*.yaml"))
    if path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=design.schema.json")
]
"""Those that are design points."""
