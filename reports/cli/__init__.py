"""The commands by subject. Importing this package registers them; heavy modules wait until one is called."""

from __future__ import annotations

from reports.cli import designs, imports, networks, studies
from reports.cli.group import FIDELITIES, main

__all__ = ["FIDELITIES", "designs", "imports", "main", "networks", "studies"]
