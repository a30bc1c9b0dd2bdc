"""`python -m archsim` is the command line."""

from __future__ import annotations

from reports.cli import main

main()
