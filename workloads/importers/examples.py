"""The inputs and labels that come with a network from elsewhere: read, checked, and a few of them chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal
from workloads.topology.archive import UNREADABLE
from workloads.topology.samples import MOST, Samples

CALIBRATION_INPUTS = 10_000
"""Inputs that scales are found on, spread over those there are."""


class ExamplesError(Refusal):
    """Inputs or labels do not fit the network that they were given with."""


@dataclass(frozen=True, eq=False)
class Given:
    """An array that a user gives, and in a few words its `source`."""

    values: NDArray[Any]
    source: str

    @property
    def width(self) -> int:
        """The values of one of them, where they lie along the first axis."""
        return int(np.prod(self.values.shape[1:]))

    @classmethod
    def of(cls, field: str, given: Any) -> Given | None:
        """An array, or that of the path of an .npy file or an .npz file of one array, if any is given."""
        if given is None or isinstance(given, cls):
            return given
        return cls(*_array(field, given))


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs (k, n_in) as float32, k from 1, their `labels` (k,) as int64 where there are any, and in a few
    words the `source` of them."""

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    source: str

    def __repr__(self) -> str:
        labels = "" if self.labels is None else ", labelled"
        return f"<Examples: {len(self.inputs)} of {self.inputs.shape[1]} values{labels}, {self.source[:60]}>"

    def spread(self, most: int) -> NDArray[np.float32]:
        """At most so many inputs, evenly from the first to the last, in their order."""
        count = len(self.inputs)
        return self.inputs if count <= most else self.inputs[np.linspace(0, count - 1, most).astype(int)]

    def samples(self) -> Samples:
        """Up to 64 of the inputs, evenly from the first to the last, those nearest to the mean in ink, the
        mean of the values of an input, first."""
        candidates = self.spread(MOST)
        ink = candidates.mean(axis=1)
        return Samples(candidates[np.argsort(np.abs(ink - ink.mean()), kind="stable")], self.source)


def read_examples(inputs: Any, labels: Any, *, n_in: int, n_out: int) -> Examples | None:
    """The examples of a network of so many inputs and outputs, or none where no `inputs` are given.

    `inputs` are numbers of shape (k, n_in), or (k, ...) of as many values each, as the network takes them;
    `labels` (k,) the positions, from 0, of the outputs that should be largest. Either is an array, or the
    path of an .npy file or of an .npz file of one array, of which nothing is unpickled. Raises ExamplesError
    for anything else.
    """
    given = Given.of("inputs", inputs)
    if given is None:
        if labels is not None:
            raise ExamplesError.of("labels", "given without inputs", "labels of inputs that are given too")
        return None
    values = given.values
    wanted = f"finite numbers of shape (k, {n_in}), k from 1"
    if values.ndim < 2 or not values.size or given.width != n_in:
        raise ExamplesError.of("shape of inputs", values.shape, wanted)
    if values.dtype.kind not in "fiub" or not np.isfinite(values).all():
        raise ExamplesError.of("inputs", f"{values.dtype}, some of them not finite", wanted)
    flat = np.ascontiguousarray(values.reshape(len(values), n_in), dtype=np.float32)
    return Examples(flat, _labels(labels, len(flat), n_out), given.source)


def _labels(labels: Any, count: int, n_out: int) -> NDArray[np.int64] | None:
    given = Given.of("labels", labels)
    if given is None:
        return None
    values = given.values
    wanted = f"{count} whole numbers from 0 to {n_out - 1}, one for each of the inputs"
    if values.shape != (count,) or values.dtype.kind not in "iub":
        raise ExamplesError.of("labels", f"{values.dtype} of shape {values.shape}", wanted)
    if values.min() < 0 or values.max() >= n_out:
        raise ExamplesError.of("labels", f"{values.min()} to {values.max()}", wanted)
    return values.astype(np.int64)


def _array(field: str, given: Any) -> tuple[NDArray[Any], str]:
    """What is given as an array, and where it is from."""
    if not isinstance(given, str | Path):
        try:
            return np.asarray(given), f"the {field} given"
        except (ValueError, TypeError, RuntimeError) as cause:
            kind = type(given).__name__
            raise ExamplesError.of(field, kind, "an array of numbers, or the path of a file") from cause
    path = Path(given)
    allowed = "that of an .npy file, or of an .npz file of one array"
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            arrays = [loaded] if isinstance(loaded, np.ndarray) else [loaded[name] for name in loaded.files]
    except UNREADABLE as cause:
        reason = " ".join(str(cause).split())[:100]
        raise ExamplesError.of(
            field, str(path), f"{allowed}, and this one cannot be read ({reason})"
        ) from cause
    if len(arrays) != 1:
        raise ExamplesError.of(field, str(path), f"{allowed}, and this one holds {len(arrays)} arrays")
    array: NDArray[Any] = arrays[0]
    return array, path.name
