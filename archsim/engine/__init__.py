"""How a network lies on an engine, and how often what happens: one file an engine, helpers in folders."""

from __future__ import annotations

from archsim.engine.clos import Clos
from archsim.engine.csc import Csc
from archsim.engine.dense import Dense
from archsim.engine.eie import Eie
from archsim.engine.engine import Engine, engines
from archsim.engine.pruned import Pruned

__all__ = ["Clos", "Csc", "Dense", "Eie", "Engine", "Pruned", "engines"]
