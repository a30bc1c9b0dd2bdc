"""The compiled loop of the event simulation: one clock cycle after another, each until every net is still.

Time is an integer number of steps from the clock edge. The events that wait lie on a wheel of one slot a
step, which is longer than any delay, so that all events of a slot have the same time. A net has at most one
event that waits, its change to the other value, so the list of a slot goes through the nets themselves and an
event is taken back in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from archsim.netlist.netlist import Nets

Array = NDArray[Any]
STILL = -1
"""Stands for no net, and for the time of an event that does not wait."""


@njit(nogil=True, cache=True, inline="always")
def _wait(net: int, due: int, slots: int, first: Array, following: Array, before: Array, dues: Array) -> None:
    """Puts the change of a net on the wheel."""
    slot = due & (slots - 1)
    ahead = first[slot]
    following[net], before[net], dues[net] = ahead, STILL, due
    if ahead != STILL:
        before[ahead] = net
    first[slot] = net


@njit(nogil=True, cache=True, inline="always")
def _take_back(net: int, slots: int, first: Array, following: Array, before: Array, dues: Array) -> None:
    """Takes the change of a net off the wheel."""
    ahead, behind = following[net], before[net]
    if behind == STILL:
        first[dues[net] & (slots - 1)] = ahead
    else:
        following[behind] = ahead
    if ahead != STILL:
        before[ahead] = behind
    dues[net] = STILL


@njit(nogil=True, cache=True)
def run_cycles(
    settled: Array,
    sources: Array,
    ends: Array,
    sinks: Array,
    places: Array,
    tables: Array,
    delays: Array,
    slots: int,
    toggles: Nets,
) -> tuple[int, int, int]:
    """Runs the cycles between the samples of `settled`, shape (samples, nets), the values at their ends.

    Net n drives the gates of the nets sinks[ends[n]] to sinks[ends[n + 1]], at the input of the number in
    `places`; tables[n] has the value of a gate for each row of inputs, delays[n] the steps after which a net
    follows its gate or, one of `sources`, the edge. `slots`, a power of two, are more than any delay. Changes
    are added to `toggles`. Returns the sample and the net of the first value that is not what it should be,
    or -1 twice, and the longest time until all was still.
    """
    samples, compared = settled.shape
    nets = tables.size
    value = np.zeros(nets, np.uint8)
    row = np.zeros(nets, np.uint8)
    first = np.full(slots, STILL, np.int32)
    following, before = np.full(nets, STILL, np.int32), np.full(nets, STILL, np.int32)
    dues = np.full(nets, STILL, np.int32)
    reached, is_reached = np.zeros(nets, np.int32), np.zeros(nets, np.uint8)
    value[:compared] = settled[0]
    # A net beyond those that are compared delays one of those, whose value it has once it is still.
    for net in range(nets):
        if net >= compared:
            value[net] = row[net]
        if value[net]:
            for k in range(ends[net], ends[net + 1]):
                row[sinks[k]] |= np.uint8(1 << places[k])
    longest = 0
    for sample in range(1, samples):
        waiting = 0
        for net in sources:
            if value[net] != settled[sample, net]:
                _wait(net, delays[net], slots, first, following, before, dues)
                waiting += 1
        now = 0
        while waiting:
            net = first[now & (slots - 1)]
            if net == STILL:
                now += 1
                continue
            longest = max(longest, now)
            first[now & (slots - 1)] = STILL
            number = 0
            while net != STILL:
                dues[net] = STILL
                value[net] ^= 1
                toggles[net] += 1
                waiting -= 1
                for k in range(ends[net], ends[net + 1]):
                    gate = sinks[k]
                    row[gate] ^= np.uint8(1 << places[k])
                    if not is_reached[gate]:
                        is_reached[gate] = 1
                        reached[number] = gate
                        number += 1
                net = following[net]
            for k in range(number):
                gate = reached[k]
                is_reached[gate] = 0
                changes = (tables[gate] >> np.uint64(row[gate]) & np.uint64(1)) != value[gate]
                if changes and dues[gate] == STILL:
                    _wait(gate, now + delays[gate], slots, first, following, before, dues)
                    waiting += 1
                elif not changes and dues[gate] != STILL:
                    _take_back(gate, slots, first, following, before, dues)
                    waiting -= 1
            now += 1
        for net in range(compared):
            if value[net] != settled[sample, net]:
                return sample, net, longest
    return -1, -1, longest
