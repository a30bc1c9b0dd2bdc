"""How the stages of networks are dealt to PEs, found once for all settings that leave it as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archsim.engine.biases import bias_rows
from archsim.engine.gather.encoding import IndexEncoding, deal_rows
from archsim.engine.gather.entries import DealtStage, deal_stage
from rtl import BankedAddress
from workloads import IntegerNetwork, IntegerStage


def order_of(encoding: IndexEncoding) -> tuple[int, int, bool]:
    """Lanes, run, and whether rows keep their order: where more neighbours are counted than lie on the PEs
    in lockstep, which stay together."""
    counted = max(encoding.run, encoding.group)
    return encoding.lockstep, encoding.run, counted > encoding.lockstep


def all_dealt(
    networks: Sequence[IntegerNetwork], pes: int, lanes: int, run: int, in_order: bool | None = None
) -> list[DealtStage]:
    """The stages of all networks, dealt."""
    ordered = run > lanes if in_order is None else in_order
    return [stage for network in networks for stage in dealt_stages(network, pes, lanes, run, ordered)[0]]


@lru_cache(maxsize=32)
def dealt_stages(
    network: IntegerNetwork, pes: int, lanes: int, run: int, in_order: bool
) -> tuple[tuple[DealtStage, ...], NDArray[np.int64]]:
    """The stages with their rows dealt to PEs, in `lanes` that work off theirs together, and the place of
    every output: so that entries balance, or `in_order`, so that the inputs of a run of weights are
    neighbours for the next stage."""
    address = BankedAddress(banks=pes, rows=1)
    at = np.arange(network.n_in, dtype=np.int64)
    stages = []
    for integer in network.stages:
        biases = bias_rows(integer, network.weight_bits, network.activation_bits).words
        read_from = np.array([address.encode(int(i)) for i in at])
        outputs = np.arange(integer.stage.n_out)
        positions = outputs if in_order else _balanced(integer, outputs, pes // lanes, lanes)
        stages.append(deal_stage(integer, biases, read_from, positions, pes, lanes=lanes, run=run))
        at = positions
    return tuple(stages), at


def _balanced(
    integer: IntegerStage, outputs: NDArray[np.int64], walkers: int, lanes: int
) -> NDArray[np.int64]:
    """The position of every output: those of `lanes` together, as many in the last place as are left, the
    others so that the inputs that any of them keeps balance."""
    stage = integer.stage
    row = np.repeat(outputs // lanes, stage.row_lengths())
    kept = np.unique(row * stage.n_in + stage.columns())
    lengths = np.bincount(kept // stage.n_in, minlength=-(-len(outputs) // lanes))
    whole = len(outputs) // lanes
    positions = np.append(deal_rows(lengths[:whole], walkers), np.arange(whole, len(lengths)))
    places: NDArray[np.int64] = positions[outputs // lanes] * lanes + outputs % lanes
    return places
