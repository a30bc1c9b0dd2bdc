"""The commands by subject. Importing this package registers them; heavy modules wait until one is called."""

from __future__ import annotations

from reports.cli import designs, explore, imports, layouts, networks, pages, studies, traces
from reports.cli.group import FIDELITIES, main

__all__ = [
    "FIDELITIES",
    "designs",
    "explore",
    "imports",
    "layouts",
    "main",
    "networks",
    "pages",
    "studies",
    "traces",
]
