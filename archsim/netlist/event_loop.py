"""The compiled loop of the event simulation: one clock cycle after another, each until every net is still.

Time is an integer number of steps from the clock edge. The events that wait lie on a wheel of one slot a
step, which is longer than any delay, so that all events of a slot have the same time. A net has at most one
event that waits, its change to the other value, so the list of a slot goes through the nets themselves and an
event is taken back in place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from archsim.netlist.netlist import Nets

Array = NDArray[Any]
STILL = -1
"""Stands for no net, and for the time of an event that does not wait."""


class Gates(NamedTuple):
    """Net n drives the gates of the nets sinks[ends[n]] to sinks[ends[n + 1]], at the input of the number in
    `places`; tables[n] has the value of a gate for each row of inputs, delays[n] the steps after which a net
    follows its gate or, one of `sources`, the edge."""

    sources: Array
    ends: Array
    sinks: Array
    places: Array
    tables: Array
    delays: Array


class _State(NamedTuple):
    """By net its value, the row that the inputs of its gate have, and its event: in the list of a slot, which
    begins at `first` of it, the net after it and the one before it, and when it is due. And the nets whose
    gates an instant has reached, with a mark for each."""

    value: Array
    row: Array
    first: Array
    following: Array
    before: Array
    due: Array
    reached: Array
    is_reached: Array


@njit(nogil=True, cache=True, inline="always")
def _wait(net: int, time: int, state: _State) -> None:
    """Puts the change of a net on the wheel."""
    slot = time & (state.first.size - 1)
    ahead = state.first[slot]
    state.following[net], state.before[net], state.due[net] = ahead, STILL, time
    if ahead != STILL:
        state.before[ahead] = net
    state.first[slot] = net


@njit(nogil=True, cache=True, inline="always")
def _take_back(net: int, state: _State) -> None:
    """Takes the change of a net off the wheel."""
    ahead, behind = state.following[net], state.before[net]
    if behind == STILL:
        state.first[state.due[net] & (state.first.size - 1)] = ahead
    else:
        state.following[behind] = ahead
    if ahead != STILL:
        state.before[ahead] = behind
    state.due[net] = STILL


@njit(nogil=True, cache=True, inline="always")
def _change(net: int, gates: Gates, state: _State, toggles: Nets) -> tuple[int, int]:
    """Changes the nets from one on that are due in its slot; how many they are, and how many gates they
    reach."""
    changed, number = 0, 0
    while net != STILL:
        state.due[net] = STILL
        state.value[net] ^= 1
        toggles[net] += 1
        changed += 1
        for k in range(gates.ends[net], gates.ends[net + 1]):
            gate = gates.sinks[k]
            state.row[gate] ^= np.uint8(1 << gates.places[k])
            if not state.is_reached[gate]:
                state.is_reached[gate] = 1
                state.reached[number] = gate
                number += 1
        net = state.following[net]
    return changed, number


@njit(nogil=True, cache=True, inline="always")
def _follow(now: int, number: int, gates: Gates, state: _State) -> int:
    """What the gates do that an instant has reached: how many more events wait than before."""
    more = 0
    for k in range(number):
        gate = state.reached[k]
        state.is_reached[gate] = 0
        high = gates.tables[gate] >> np.uint64(state.row[gate]) & np.uint64(1)
        if high != state.value[gate] and state.due[gate] == STILL:
            _wait(gate, now + gates.delays[gate], state)
            more += 1
        elif high == state.value[gate] and state.due[gate] != STILL:
            _take_back(gate, state)
            more -= 1
    return more


@njit(nogil=True, cache=True)
def _begin(settled: Array, slots: int, gates: Gates) -> _State:
    """All nets still, at the values of one sample."""
    nets, compared = gates.tables.size, settled.size
    state = _State(
        np.zeros(nets, np.uint8),
        np.zeros(nets, np.uint8),
        np.full(slots, STILL, np.int32),
        np.full(nets, STILL, np.int32),
        np.full(nets, STILL, np.int32),
        np.full(nets, STILL, np.int32),
        np.zeros(nets, np.int32),
        np.zeros(nets, np.uint8),
    )
    for net in range(nets):
        # A net beyond those that are compared delays one of those, whose value it has once it is still.
        state.value[net] = settled[net] if net < compared else state.row[net]
        if state.value[net]:
            for k in range(gates.ends[net], gates.ends[net + 1]):
                state.row[gates.sinks[k]] |= np.uint8(1 << gates.places[k])
    return state


@njit(nogil=True, cache=True)
def run_cycles(settled: Array, slots: int, gates: Gates, toggles: Nets) -> tuple[int, int, int]:
    """Runs the cycles between the samples of `settled`, shape (samples, nets), the values at their ends.

    `slots`, a power of two, are more than any delay. Changes are added to `toggles`. Returns the sample and
    the net of the first value that is not what it should be, or -1 twice, and the longest time until all was
    still.
    """
    samples, compared = settled.shape
    state = _begin(settled[0], slots, gates)
    longest = 0
    for sample in range(1, samples):
        waiting = 0
        for net in gates.sources:
            if state.value[net] != settled[sample, net]:
                _wait(net, gates.delays[net], state)
                waiting += 1
        now = 0
        while waiting:
            slot = now & (slots - 1)
            net = state.first[slot]
            if net != STILL:
                longest = max(longest, now)
                state.first[slot] = STILL
                changed, number = _change(net, gates, state, toggles)
                waiting += _follow(now, number, gates, state) - changed
            now += 1
        for net in range(compared):
            if state.value[net] != settled[sample, net]:
                return sample, net, longest
    return -1, -1, longest
