"""Cascades that are moved over maps, on any engine: segments, how they lie on one piece of hardware, events."""
