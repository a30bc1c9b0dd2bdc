"""Digits for networks of any width: what the random networks of calibration are run on, so that their
switching is like that of trained ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workloads import IntegerNetwork, test_digits
from workloads.topology.samples import REPRESENTATIVE, IntegerSamples

SIDE, BORDER = 28, 6


def with_digits(network: IntegerNetwork) -> IntegerNetwork:
    """The network with the shipped digits nearest to the mean in ink as its samples.

    A network that takes another number of inputs than a digit has gets pixels in even steps, of the whole
    image or, where it takes few, of the middle that every digit fills: a narrow network should not see the
    blank border alone.
    """
    images, _ = test_digits()
    ink = images.mean(axis=1)
    typical = np.argsort(np.abs(ink - ink.mean()), kind="stable")[:REPRESENTATIVE]
    places = np.arange(images.shape[1]).reshape(SIDE, SIDE)
    if network.n_in <= (SIDE - 2 * BORDER) ** 2:
        places = places[BORDER:-BORDER, BORDER:-BORDER]
    pixels = places.ravel()[np.linspace(0, places.size - 1, network.n_in).round().astype(np.int64)]
    inputs = network.quantise_input(images[typical][:, pixels])
    return replace(network, samples=IntegerSamples(inputs, "pixels of digits"))
