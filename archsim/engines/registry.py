"""The engines by name. An engine is one file that registers one class."""

from __future__ import annotations

from typing import TypeVar

from archsim.engines.engine import Engine

ENGINES: dict[str, type[Engine]] = {}

E = TypeVar("E", bound=type[Engine])


def register_engine(engine: E) -> E:
    """Class decorator: makes the engine known by its `kind`. Raises ValueError for a kind already taken."""
    kind = engine.kind_name()
    if ENGINES.setdefault(kind, engine) is not engine:
        raise ValueError(f"engine kind {kind} is registered already")
    return engine
