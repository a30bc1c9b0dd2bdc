"""The inputs that hardware is run on: the samples of its network, else random integers.

The samples are those that a design point gives (`archsim.inputs`), or those that the network's file carries.
A network without samples is not run on somebody else's data: what it takes is not known, and the result says
that its inputs were random.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from workloads import AnyIntegerNetwork
from workloads.topology.samples import REPRESENTATIVE

NO_SAMPLES = (
    "the network carries no samples and the design gives no inputs, so random integers were the stimulus: "
    "their switching is not that of real data"
)
"""The warning where nobody knows what the network is made for."""


def representative(network: AnyIntegerNetwork) -> int:
    """How many inputs stand for all where running one takes long."""
    return network.samples.representative if network.samples else REPRESENTATIVE


@lru_cache(maxsize=64)
def stimulus(network: AnyIntegerNetwork) -> NDArray[np.int64]:
    """The inputs that stand for all, shape (n_in, `representative`): what switching is measured on."""
    inputs = sample_inputs(network, representative(network))
    inputs.setflags(write=False)
    return inputs


def sample_inputs(network: AnyIntegerNetwork, count: int, seed: int = 0) -> NDArray[np.int64]:
    """Inputs to run, shape (n_in, count): the samples of the network, and beyond them random integers,
    uniform over all values of an activation."""
    own = _own(network, count)
    top = 1 << (network.activation_bits - 1)
    drawn = np.random.default_rng(seed).integers(-top, top, size=(network.n_in, count - own))
    return np.hstack([network.samples.inputs[:, :own], drawn]) if network.samples else drawn


def stimulus_name(network: AnyIntegerNetwork, count: int, seed: int = 0) -> str:
    """What `sample_inputs` gives, in a few words."""
    own, top = _own(network, count), 1 << (network.activation_bits - 1)
    parts = []
    if network.samples and own:
        parts.append(f"{own} of {network.samples.inputs.shape[1]} samples of {network.samples.source}")
    if drawn := count - own:
        vectors = f"{drawn} vector{'s' * (drawn != 1)}"
        parts.append(f"{vectors} of random integers, uniform over {-top} to {top - 1}, seed {seed}")
    return " and ".join(parts)


def _own(network: AnyIntegerNetwork, count: int) -> int:
    """How many of `count` inputs are samples of the network."""
    return min(count, network.samples.inputs.shape[1]) if network.samples else 0


def stimulus_warnings(network: AnyIntegerNetwork) -> Iterator[str]:
    """What is amiss with the inputs that stand for all."""
    samples = network.samples
    if samples is None:
        yield NO_SAMPLES
    elif samples.saturated:
        yield network.told_of_saturation(samples.saturated, samples.inputs.size)
