"""The states of units in words: what kind each is, and why nothing is done."""

from __future__ import annotations

from typing import Literal

from rtl import State

Kind = Literal["busy", "stalled", "waiting", "idle"]
KINDS: tuple[Kind, ...] = ("busy", "stalled", "waiting", "idle")
"""Work is done; a PE has work and is refused (these are the stalls that counts name); something else must
come first; or there is nothing to do."""

WORDS: dict[State, tuple[Kind, str]] = {
    State.IDLE: ("idle", "idle"),
    State.BUSY: ("busy", "busy"),
    State.CONFLICT: ("stalled", "bank conflict"),
    State.BUS: ("stalled", "result bus taken"),
    State.FETCH: ("waiting", "descriptor is fetched"),
    State.TURN: ("waiting", "words of other rows are read"),
    State.PAUSE: ("waiting", "results before are written"),
    State.DRAIN: ("waiting", "pipeline drains"),
    State.NO_WORK: ("waiting", "nothing to do while others work"),
    State.ENGINE: ("waiting", "engine works"),
    State.WINDOW: ("waiting", "window is filled"),
    State.QUEUE: ("stalled", "a queue is full"),
    State.SEARCH: ("waiting", "looks for an activation that is not zero"),
    State.STARVED: ("waiting", "no activation is there for it"),
    State.PASS: ("waiting", "column has no entry for it"),
    State.FORWARD: ("busy", "forward"),
    State.BACKWARD: ("busy", "backward and update"),
    State.BOTH: ("busy", "one sample forward, another back"),
    State.HEAD: ("waiting", "errors of the group are read"),
    State.PORT: ("waiting", "words of weights are written"),
}
"""The kind of each state, and what it is called."""


def kind_of(state: int) -> Kind:
    """The kind of a state, by its number."""
    return WORDS[State(state)][0]


def words_of(state: int) -> str:
    """What a state is called, by its number."""
    return WORDS[State(state)][1]


CODES: dict[Kind, tuple[int, ...]] = {
    kind: tuple(int(state) for state, (of, _) in WORDS.items() if of == kind) for kind in KINDS
}
"""The numbers of the states of each kind."""
