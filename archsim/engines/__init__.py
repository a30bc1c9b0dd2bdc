"""The engines. Importing this package registers those of the project."""

from __future__ import annotations

from archsim.engines.clos import Clos
from archsim.engines.csc import Csc
from archsim.engines.dense import Dense
from archsim.engines.engine import Engine
from archsim.engines.pruned import Pruned
from archsim.engines.registry import ENGINES, register_engine

__all__ = ["ENGINES", "Clos", "Csc", "Dense", "Engine", "Pruned", "register_engine"]
