"""Cascades that are moved over maps, on any engine: segments, their mapping, and their events."""
