"""Where the numbers of example networks come from: an engine states limits, a source draws within them."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Draws(ABC):
    """A source of the numbers of an example. Calibration draws as networks are, tests as small as can be."""

    @abstractmethod
    def size(self, least: int, most: int) -> int:
        """A number of inputs, of outputs or of blocks, typically `least` to `most`; 1 or more."""

    @abstractmethod
    def between(self, least: int, most: int) -> int:
        """A number that must not lie below `least`, typically `most` at most."""

    @abstractmethod
    def few(self, least: int, most: int) -> int:
        """How many layers or stages, typically `least` to `most`; 1 or more."""

    @abstractmethod
    def share(self, least: float, most: float) -> float:
        """A share, typically `least` to `most`; 0 to 1."""

    @abstractmethod
    def mask(self, rows: int, columns: int, share: float) -> NDArray[np.bool_]:
        """A random mask of shape (rows, columns), of which so large a `share` is true."""

    def widths(self) -> Iterator[tuple[int, int]]:
        """Inputs and outputs of two or three layers, typically up to the widths of LeNet-300-100."""
        hidden = [self.size(30, 300) for _ in range(self.few(2, 3) - 1)]
        return itertools.pairwise([self.size(30, 784), *hidden, self.size(4, 100)])


class TypicalDraws(Draws):
    """Draws as large as networks are: even in log between the limits."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random

    def size(self, least: int, most: int) -> int:
        return round(self.share(least, most))

    def between(self, least: int, most: int) -> int:
        return self.size(least, most)

    def few(self, least: int, most: int) -> int:
        return int(self.random.integers(least, most + 1))

    def share(self, least: float, most: float) -> float:
        return float(np.exp(self.random.uniform(np.log(least), np.log(most))))

    def mask(self, rows: int, columns: int, share: float) -> NDArray[np.bool_]:
        drawn: NDArray[Any] = self.random.random((rows, columns))
        return drawn < share
