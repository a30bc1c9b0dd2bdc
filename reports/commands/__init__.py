"""The commands by subject. Importing this package registers them; heavy modules wait until one is called."""

from reports.commands import designs, networks, studies
from reports.commands.group import FIDELITIES, main

__all__ = ["FIDELITIES", "designs", "main", "networks", "studies"]
