"""The inputs that hardware is run on: real digits, fitted to the network where switching is measured."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workloads import IntegerNetwork, test_digits

SIDE, BORDER = 28, 6
DIGITS = 2
"""How many digits run through an engine. They are those of ordinary ink, so that few stand for many."""


@lru_cache(maxsize=64)
def stimulus(network: IntegerNetwork) -> NDArray[np.int64]:
    """Integer inputs, shape (n_in, `DIGITS`): the test digits nearest to the mean in ink.

    A network that takes another number of inputs gets pixels in even steps, of the whole image or, where it
    takes few, of the middle that every digit fills: a narrow network should not see the blank border alone.
    """
    images, _ = test_digits()
    ink = images.mean(axis=1)
    typical = np.argsort(np.abs(ink - ink.mean()), kind="stable")[:DIGITS]
    places = np.arange(images.shape[1]).reshape(SIDE, SIDE)
    if network.n_in <= (SIDE - 2 * BORDER) ** 2:
        places = places[BORDER:-BORDER, BORDER:-BORDER]
    pixels = places.ravel()[np.linspace(0, places.size - 1, network.n_in).round().astype(np.int64)]
    inputs = network.quantise_input(images[typical][:, pixels])
    inputs.setflags(write=False)
    return inputs


def sample_inputs(network: IntegerNetwork, count: int, seed: int = 0) -> NDArray[np.int64]:
    """Inputs to run: test digits where the network takes them, else random integers, shape (n_in, count)."""
    images, _ = test_digits()
    if images.shape[1] == network.n_in:
        return network.quantise_input(images[np.arange(count) % len(images)])
    top = 1 << (network.activation_bits - 1)
    return np.random.default_rng(seed).integers(-top, top, size=(network.n_in, count))
