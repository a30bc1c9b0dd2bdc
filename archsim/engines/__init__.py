"""How a network lies on an engine, and how often what happens: one file an engine, helpers in folders."""

from __future__ import annotations

from archsim.engines.clos import Clos
from archsim.engines.csc import Csc
from archsim.engines.dense import Dense
from archsim.engines.engine import Engine, engines
from archsim.engines.pruned import Pruned

__all__ = ["Clos", "Csc", "Dense", "Engine", "Pruned", "engines"]
