"""The inputs and labels that come with a network from elsewhere: read, checked, and a few of them chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.data.files import read_array
from workloads.data.labelled import BYTE_SCALE, DataError, checked_labels, scaled
from workloads.importers.tensors import as_array, is_tensor
from workloads.topology.samples import MOST, Samples

CALIBRATION_INPUTS = 10_000
"""Inputs that scales are found on, spread over those there are."""

BYTES = f"the inputs are bytes, and were divided by {BYTE_SCALE}, as those of images are"


@dataclass(frozen=True, eq=False)
class Given:
    """An array that a user gives, in a few words its `source`, and the `path` of its file if it has one."""

    values: NDArray[Any]
    source: str
    path: str = ""

    def __repr__(self) -> str:
        return f"<Given: {self.values.dtype} of shape {self.values.shape}, {self.source[:60]}>"

    @property
    def width(self) -> int:
        """The values of one of them, where they lie along the first axis."""
        return int(np.prod(self.values.shape[1:]))

    @classmethod
    def of(cls, field: str, given: Any) -> Given | None:
        """An array, or that of the path of an .npy file or an .npz file of one array, if any is given. Raises
        DataError for anything else."""
        if given is None or isinstance(given, cls):
            return given
        if isinstance(given, str | Path):
            return cls(read_array(given), Path(given).name, str(Path(given).absolute()))
        try:
            return cls(
                np.asarray(as_array(given, field) if is_tensor(given) else given), f"the {field} given"
            )
        except (ValueError, TypeError, RuntimeError) as cause:
            allowed = "an array of numbers, or the path of a file"
            raise DataError.of(field, type(given).__name__, allowed) from cause


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs (k, n_in) as float32, k from 1, their `labels` (k,) as int64 where there are any, in a few words
    the `source` of them, and what has to be said."""

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    source: str
    remarks: tuple[str, ...] = ()

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


def read_examples(given: Given | None, labels: Given | None, *, n_in: int, n_out: int) -> Examples | None:
    """The examples of a network of so many inputs and outputs, or none where no inputs are given.

    Inputs are numbers of shape (k, n_in), or (k, ...) of as many values each, as the network takes them,
    except that bytes are divided by 255; `labels` (k,) are the positions, from 0, of the outputs that should
    be largest. Raises DataError for anything else.
    """
    if given is None:
        if labels is not None:
            raise DataError.of("labels", "given without inputs", "labels of inputs that are given too")
        return None
    if given.values.ndim < 2 or given.width != n_in:
        raise DataError.of("shape of inputs", given.values.shape, f"(k, {n_in}), the inputs of the network")
    inputs = np.ascontiguousarray(scaled("inputs", given.values, None))
    remarks = (BYTES,) if given.values.dtype == np.uint8 else ()
    return Examples(inputs, _labels(labels, len(inputs), n_out), given.source, remarks)


def _labels(labels: Given | None, count: int, n_out: int) -> NDArray[np.int64] | None:
    if labels is None:
        return None
    values = checked_labels("labels", labels.values)
    if len(values) != count:
        raise DataError.of("labels", f"{len(values)} long", f"{count}, one an input")
    if values.max() >= n_out:
        raise DataError.of(
            "largest label", int(values.max()), f"0 to {n_out - 1}, the outputs of the network"
        )
    return values
