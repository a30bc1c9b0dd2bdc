"""The data sets that are known, by name, and what else data can be: a path, arrays, or a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from workloads.data.files import read_data
from workloads.data.labelled import PARTS, WHOLE, DataError, LabelledData
from workloads.register import Register


class DataSet(Protocol):
    """How the inputs and labels of a data set are had."""

    def __call__(self, inputs: int, classes: int) -> LabelledData:
        """The data; a `DataUnavailableError` where they cannot be had.

        Only what is made up on the spot heeds `inputs`, the values of an input, and `classes`.
        """


datasets: Register[DataSet] = Register("data", "workloads.data", group="archsim.datasets", error=DataError)
"""Every data set there is: a file of this folder, or a module that an installed package announces."""

Arrays: TypeAlias = tuple[Any, ...] | Mapping[str, Any]
Data: TypeAlias = LabelledData | str | Path | Arrays | Callable[[int, int], Any]
"""What can be given as data: labelled data, the name of a data set, the path of a file or folder, arrays
(x, y) or (x_train, y_train, x_test, y_test), arrays by these names, or a function of the numbers of inputs
and of classes that gives one of these."""


def load_data(
    data: Data, *, inputs: int = 784, classes: int = 10, scale: float | None = None
) -> LabelledData:
    """Labelled data of what was given; a `DataUnavailableError` where a data set cannot be had.

    `inputs` and `classes` are the sizes of made-up data; real ones have their own. `scale` divides the inputs
    of files and arrays. Raises DataError for anything else.
    """
    if isinstance(data, LabelledData):
        return data
    if callable(data):
        return load_data(data(inputs, classes), inputs=inputs, classes=classes, scale=scale)
    if isinstance(data, tuple | list):
        names = {len(WHOLE): WHOLE, len(PARTS): PARTS}.get(len(data))
        if names is None:
            allowed = f"two, {', '.join(WHOLE)}, or four, {', '.join(PARTS)}"
            raise DataError.of("number of arrays of data", len(data), allowed)
        data = dict(zip(names, data, strict=True))
    if isinstance(data, Mapping):
        return LabelledData.of_arrays(data, scale=scale)
    if isinstance(data, str) and data in datasets:
        return datasets[data](inputs, classes)
    if isinstance(data, str | Path) and is_there(data):
        return read_data(data, scale=scale)
    raise DataError.of(
        "data", str(data)[:200], [*datasets, "the path of an .npz file or of a folder of IDX files"]
    )


def is_there(path: str | Path) -> bool:
    """Whether there is a file or a folder at this path."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
