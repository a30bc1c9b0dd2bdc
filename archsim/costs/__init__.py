"""Counts times unit costs: the fidelities, the logic of an engine, its price, and the result."""
