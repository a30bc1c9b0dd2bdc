"""Checkpoints: all that changes while a network is trained, in a file from which the run goes on bit for bit.

A checkpoint is written between two steps, and only for the run that made it: it carries hashes of the recipe
and of the data.
"""

from __future__ import annotations

import hashlib
import json
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.archive import one_line, read_archive, write_archive
from workloads.files import OutputError
from workloads.refusal import Refusal
from workloads.topology.network import INCONSISTENT
from workloads.topology.stored import restored_topology, stored_layers
from workloads.topology.topology import Topology
from workloads.training.recipe import Recipe

FORMAT, VERSION = "archsim checkpoint", 2
EVERY_S = 30.0
_LOG = logging.getLogger(__name__)


class CheckpointError(Refusal):
    """A checkpoint is of another run, or cannot be read."""


@dataclass(frozen=True, eq=False)
class State:
    """A run between two steps.

    `weights`, every moment of the optimiser and each of what the schedule has `kept` have an array a stage,
    and the biases after them, `shuffled` is the order of the images
    in the epoch that is running, `random` the states of the generators by name. `topology` is that of the
    fully connected layers, which may have been pruned or have grown.
    """

    step: int
    topology: Topology
    weights: Sequence[NDArray[Any]]
    moments: Sequence[Sequence[NDArray[Any]]]
    kept: Sequence[Sequence[NDArray[Any]]]
    shuffled: NDArray[np.int64]
    random: Mapping[str, Any]


class Checkpoints:
    """The checkpoint file of one run, written anew when the last is `every_s` seconds and `every_steps` steps
    old.
    """

    def __init__(self, path: Path, *, every_s: float = EVERY_S, every_steps: int = 1) -> None:
        for name, value, least in (("every_s", every_s, 0), ("every_steps", every_steps, 1)):
            if not value >= least:
                raise CheckpointError.of(f"{name} of a checkpoint", value, f"values of at least {least}")
        self.path, self.every_s, self.every_steps = path, every_s, every_steps
        self.identity: dict[str, str] = {}
        self.last_s, self.last_step = time.monotonic(), 0

    def open(self, recipe: Recipe, data: Sequence[NDArray[Any]]) -> State | None:
        """The state to go on from, or none where there is no file; these are of this recipe and data.

        Raises `CheckpointError` for the checkpoint of another recipe or of other data.
        """
        text = json.dumps(recipe.model_dump(mode="json"), sort_keys=True)
        self.identity = {"recipe": hashlib.sha256(text.encode()).hexdigest(), "data": _digest(data)}
        if not self.path.exists():
            return None
        metadata, arrays = read_archive(
            self.path, file_format=FORMAT, versions=(VERSION,), holds="checkpoint", error=CheckpointError
        )
        try:
            for field, wanted in self.identity.items():
                if metadata[field] != wanted:
                    raise CheckpointError(
                        f"{field} of the checkpoint {self.path} is {metadata['name']} "
                        f"{metadata[field][:12]}, allowed is {recipe.name} {wanted[:12]} to go on, "
                        "or no file to start anew"
                    )
            topology = restored_topology(
                metadata["layers"],
                arrays,
                metadata["skips"],
                metadata["input_digits"],
                metadata.get("input_order", ()),
            )
            stages = range(metadata["arrays"])
            moments, kept = (
                [[arrays[f"{kind}_{each}_{number}"] for number in stages] for each in range(metadata[count])]
                for kind, count in (("moment", "moments"), ("kept", "kept"))
            )
            state = State(
                step=metadata["step"],
                topology=topology,
                weights=[arrays[f"weights_{number}"] for number in stages],
                moments=moments,
                kept=kept,
                shuffled=arrays["shuffled"],
                random=metadata["random"],
            )
        except CheckpointError:
            raise
        except INCONSISTENT as error:
            raise CheckpointError(
                f"file is {self.path}, an inconsistent checkpoint ({one_line(error)}), allowed is one that "
                "is whole"
            ) from error
        self.last_step = state.step
        return state

    def is_due(self, step: int) -> bool:
        """Whether a checkpoint should be written after so many steps."""
        return step - self.last_step >= self.every_steps and time.monotonic() - self.last_s >= self.every_s

    def write(self, name: str, state: State) -> None:
        """Write the checkpoint of the run of this name, in the place of the last one. Where that cannot be
        done the run goes on, with a warning."""
        arrays: dict[str, NDArray[Any]] = {"shuffled": state.shuffled}
        layers = stored_layers(state.topology, arrays)
        arrays |= {f"weights_{number}": array for number, array in enumerate(state.weights)}
        for kind, several in (("moment", state.moments), ("kept", state.kept)):
            for each, of_stages in enumerate(several):
                arrays |= {f"{kind}_{each}_{number}": array for number, array in enumerate(of_stages)}
        metadata = {
            "format": FORMAT,
            "version": VERSION,
            "name": name,
            **self.identity,
            "step": state.step,
            "layers": layers,
            "skips": state.topology.skips,
            "input_digits": state.topology.input_digits,
            "input_order": state.topology.input_order,
            "arrays": len(state.weights),
            "moments": len(state.moments),
            "kept": len(state.kept),
            "random": dict(state.random),
        }
        try:
            write_archive(self.path, metadata, arrays, compressed=False, precious=False)
        except OutputError as error:
            _LOG.warning("no checkpoint is kept: %s", error)
        self.last_s, self.last_step = time.monotonic(), state.step

    def remove(self) -> None:
        """Remove the file: its run has ended well."""
        self.path.unlink(missing_ok=True)


def checkpoint_beside(out: Path) -> Path:
    """Where the checkpoint of the run that will write `out` lies."""
    return out.with_name(f"{out.name}.checkpoint")


@contextmanager
def interrupts_held() -> Iterator[threading.Event]:
    """An interrupt from the keyboard sets an event, in place of breaking a step in two as a second one does.

    Off the main thread, where Python delivers none, and where interrupts are ignored, nothing changes.
    """
    interrupt = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    on_main_thread = threading.current_thread() is threading.main_thread()
    if not on_main_thread or before is None or before == signal.SIG_IGN:
        yield interrupt
        return

    def note(number: int, frame: FrameType | None) -> None:
        interrupt.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)


def _digest(arrays: Sequence[NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
