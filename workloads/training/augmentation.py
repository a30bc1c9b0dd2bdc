"""Random shifts of square images by whole pixels, all images of a batch at once."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal

Number = TypeVar("Number", bound=np.number)


class Shifts:
    """Shifts square images by up to `pixels` in both directions, filling with zero."""

    def __init__(self, n_in: int, pixels: int) -> None:
        side = math.isqrt(n_in)
        if side * side != n_in:
            raise Refusal(f"n_in of shifted images is {n_in}, allowed is a square number")
        self.pixels, self.side, self.padded = pixels, side, side + 2 * pixels
        rows, columns = np.divmod(np.arange(n_in), side)
        self.places = (rows + pixels) * self.padded + columns + pixels

    def __call__(self, images: NDArray[Number], random: np.random.Generator) -> NDArray[Number]:
        """The images (batch, n_in), each shifted by its own random offset."""
        batch, reach = len(images), self.pixels
        canvas = np.zeros((batch, self.padded, self.padded), dtype=images.dtype)
        canvas[:, reach : reach + self.side, reach : reach + self.side] = images.reshape(batch, self.side, -1)
        down, right = random.integers(-reach, reach + 1, size=(2, batch, 1))
        starts = np.arange(batch)[:, None] * self.padded**2
        shifted: NDArray[Number] = canvas.ravel()[starts + self.places - down * self.padded - right]
        return shifted
