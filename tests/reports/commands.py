"""The command line in this process: what a command prints, and the status it ends with."""

from __future__ import annotations

from click.testing import CliRunner, Result

from reports.cli import main


def archsim(*arguments: object) -> Result:
    """What came of `archsim` with these arguments."""
    return CliRunner().invoke(main, [str(each) for each in arguments])
