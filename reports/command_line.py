"""The command line: ``archsim`` starts here. What it can do is in `reports.commands`."""

from reports.commands import FIDELITIES, main

__all__ = ["FIDELITIES", "main"]
