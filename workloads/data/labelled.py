"""Labelled inputs: what networks are trained on and judged by, checked when they are put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal
from workloads.topology.ranges import checked_range, range_of

PARTS = ("x_train", "y_train", "x_test", "y_test")
WHOLE = ("x", "y")
EXTRAS = ("scale", "input_range")
"""Names of arrays in a file or a mapping: training and test part, or all in one; and what may stand beside
them."""

TEST_SHARE, SEED = 0.2, 0
"""Of data in one part, how many are put aside as its test part, drawn by a generator of this seed."""

BYTE_SCALE = 255
"""What inputs of bytes are divided by where nothing else is said, as those of images."""


class DataError(Refusal):
    """Data that cannot be trained on, or a data set that there is not."""


@dataclass(frozen=True, eq=False)
class LabelledData:
    """Inputs with their classes: a part to train on, and one to judge by.

    Inputs (n, n_in), or (n, ...) that are taken row by row, are real and finite, of any range, and become
    float32; labels (n,) are whole numbers from 0 and become int64. `input_range` is what integer inputs must
    hold, from the training part where it is not given (`workloads.topology.ranges.range_of`). `source` says
    in a few words where the data are from, and `file` is their path where they are from one.
    Raises DataError for anything else, with the first part that is wrong.
    """

    train_inputs: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_inputs: NDArray[np.float32]
    test_labels: NDArray[np.int64]
    input_range: tuple[float, float] | None = None
    source: str = "the data given"
    file: str = ""

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            inputs = checked_inputs(f"{part} inputs of {self.source}", getattr(self, f"{part}_inputs"))
            labels = checked_labels(f"{part} labels of {self.source}", getattr(self, f"{part}_labels"))
            if len(inputs) != len(labels):
                field, allowed = f"{part} labels of {self.source}", f"{len(inputs)}, one an input"
                raise DataError.of(field, f"{len(labels)} long", allowed)
            object.__setattr__(self, f"{part}_inputs", inputs)
            object.__setattr__(self, f"{part}_labels", labels)
        learnt, judged = self.train_inputs.shape[1], self.test_inputs.shape[1]
        if learnt != judged:
            field = f"values of a test input of {self.source}"
            raise DataError.of(field, judged, f"{learnt}, those of a training input")
        if self.input_range is not None:
            ends = checked_range(f"input_range of {self.source}", self.input_range, DataError)
            object.__setattr__(self, "input_range", ends)

    @cached_property
    def range(self) -> tuple[float, float]:
        """The range that integer inputs must hold."""
        return self.input_range or range_of(self.train_inputs)

    def __repr__(self) -> str:
        learnt, judged = self.train_inputs.shape, len(self.test_inputs)
        return f"<LabelledData: {learnt[0]:,} training and {judged:,} test inputs of {learnt[1]:,} values>"

    def check_fits(self, name: str, inputs: int, classes: int) -> None:
        """Raises DataError where a network with so many inputs and outputs cannot be trained on these."""
        values = self.train_inputs.shape[1]
        if values != inputs:
            raise DataError.of(
                f"values of an input of {self.source}", values, f"{inputs}, the inputs of {name}"
            )
        for part, labels in (("training", self.train_labels), ("test", self.test_labels)):
            if labels.max() >= classes:
                allowed = f"0 to {classes - 1}, the outputs of {name}"
                raise DataError.of(f"largest {part} label of {self.source}", int(labels.max()), allowed)

    @classmethod
    def of_arrays(
        cls, arrays: Mapping[str, Any], *, scale: float | None = None, source: str = "", file: str = ""
    ) -> LabelledData:
        """The data of arrays by name: `x` and `y`, of which a fifth, drawn, is the test part; or `x_train`,
        `y_train`, `x_test` and `y_test`. Inputs are divided by `scale`, else by the `scale` beside them, else
        bytes are by 255. An `input_range` beside them is taken over. Raises DataError."""
        source = source or "the data given"
        names = set(arrays) - set(EXTRAS)
        if names not in ({*WHOLE}, {*PARTS}):
            allowed = f"{', '.join(WHOLE)} or {', '.join(PARTS)}, with {' and '.join(EXTRAS)} if need be"
            raise DataError.of(f"arrays of {source}", ", ".join(map(str, arrays)) or "none", allowed)
        stated = arrays.get("scale") if scale is None else scale
        given = {name: np.asarray(arrays[name]) for name in names}
        for name in names & {"x", "x_train", "x_test"}:
            given[name] = scaled(f"{name} of {source}", given[name], stated)
        if "x" in given:
            given = _split(source, given["x"], given["y"])
        ends = arrays.get("input_range")
        return cls(
            train_inputs=given["x_train"],
            train_labels=given["y_train"],
            test_inputs=given["x_test"],
            test_labels=given["y_test"],
            input_range=None if ends is None else tuple(np.asarray(ends).tolist()),
            source=source,
            file=file,
        )


def checked_inputs(field: str, inputs: Any) -> NDArray[np.float32]:
    """Inputs (n, n_in) of at least one example as float32. Raises DataError."""
    values = np.asarray(inputs)
    if values.dtype.kind not in "fiub" or values.ndim < 2 or not values.size:
        given = f"{values.dtype} of shape {values.shape}"
        raise DataError.of(field, given, "real numbers of shape (n, n_in), neither of them zero")
    with np.errstate(over="ignore"):
        checked: NDArray[np.float32] = values.reshape(len(values), -1).astype(np.float32, copy=False)
    if not np.isfinite(checked).all():
        place = tuple(int(index) for index in np.argwhere(~np.isfinite(checked))[0])
        given = values.reshape(checked.shape)[place]
        raise DataError.of(field, f"{given} at {place}", "finite numbers that 32-bit floats hold")
    return checked


def checked_labels(field: str, labels: Any) -> NDArray[np.int64]:
    """Labels (n,) as int64. Raises DataError where they are no whole numbers from 0."""
    values, allowed = np.asarray(labels), "whole numbers from 0 of shape (n,)"
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        raise DataError.of(field, f"{values.dtype} of shape {values.shape}", allowed)
    is_wrong = ~(np.isfinite(values) & (values >= 0) & (values <= np.iinfo(np.int32).max))
    whole = np.where(is_wrong, 0, values).astype(np.int64)
    is_wrong |= whole != values
    if is_wrong.any():
        place = int(np.argmax(is_wrong))
        raise DataError.of(field, f"{values[place]} at {place}", allowed)
    return whole


def scaled(field: str, inputs: NDArray[Any], scale: Any) -> NDArray[np.float32]:
    """Inputs divided by a scale; bytes by 255 where it is none. Raises DataError."""
    if scale is None:
        scale = BYTE_SCALE if inputs.dtype == np.uint8 else 1
    number = np.asarray(scale)
    if number.size != 1 or number.dtype.kind not in "fiu" or not 0 < float(number.ravel()[0]) < np.inf:
        raise DataError.of(f"scale of {field}", str(scale)[:60], "finite numbers above 0")
    checked, divisor = checked_inputs(field, inputs), np.float32(number.ravel()[0])
    return checked if divisor == 1 else checked / divisor


def _split(source: str, inputs: NDArray[Any], labels: NDArray[Any]) -> dict[str, NDArray[Any]]:
    if len(inputs) < 2 or labels.ndim != 1 or len(labels) != len(inputs):
        raise DataError.of(
            f"shapes of x and y of {source}",
            f"{inputs.shape} and {labels.shape}",
            "(n, n_in) and (n,), n from 2",
        )
    drawn = np.random.default_rng(SEED).permutation(len(inputs))
    tests = max(1, round(TEST_SHARE * len(inputs)))
    learnt, judged = np.sort(drawn[tests:]), np.sort(drawn[:tests])
    return {
        "x_train": inputs[learnt],
        "y_train": labels[learnt],
        "x_test": inputs[judged],
        "y_test": labels[judged],
    }
