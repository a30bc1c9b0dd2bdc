"""The data sets that are known, by name."""

from __future__ import annotations

from typing import Protocol

from workloads.data.images import ImageData
from workloads.refusal import Refusal
from workloads.register import Register


class DataError(Refusal):
    """A data set was asked for that there is not."""


class DataSet(Protocol):
    """How the images and labels of a data set are had."""

    def __call__(self, inputs: int, classes: int) -> ImageData:
        """The data; a `DataUnavailableError` where they cannot be had.

        Only what is made up on the spot heeds `inputs`, the values of an image, and `classes`.
        """


datasets: Register[DataSet] = Register("data", "workloads.data", group="archsim.datasets", error=DataError)
"""Every data set there is: a file of this folder, or a module that an installed package announces."""


def load_data(name: str, *, inputs: int = 784, classes: int = 10) -> ImageData:
    """The images and labels of the data set of this name; a `DataUnavailableError` where they cannot be had.

    `inputs` and `classes` are the sizes of made-up data; real ones have their own.
    """
    return datasets.named(name)(inputs, classes)
