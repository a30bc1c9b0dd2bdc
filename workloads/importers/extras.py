"""Libraries that only one format needs, imported where it is read."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from workloads.topology.network import NetworkFileError


def extra(module: str, name: str, what: str) -> Any:
    """A module of an optional library. A NetworkFileError says which extra of archsim brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise NetworkFileError(
            f"{what} are given and {module} is not installed, allowed are installations with it: "
            f"pip install 'archsim[{name}]'"
        ) from error
