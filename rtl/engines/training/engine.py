"""The training engine that a set of sizes is for."""

from __future__ import annotations

from rtl.engines.training.broadcast import Broadcast
from rtl.engines.training.rotated import Rotated
from rtl.engines.training.sizes import TrainingSizes
from rtl.parts.skeleton import Hardware


def build_training(sizes: TrainingSizes) -> Hardware:
    """Describes a training engine of the given sizes."""
    return (Rotated if sizes.rotates else Broadcast)(sizes).finished()
