"""The register map of the AXI wrapper, of which the Verilog, its bench and the table for people are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

WORD_BITS, WORD_BYTES = 32, 4
IDENTITY = int.from_bytes(b"ARCH", "big")
VERSION = 1
"""Of this map: a later one that is read otherwise has another number."""

Access = Literal["r", "rw", "w1", "w1c"]
"""How software meets a field: it reads it; it writes and reads it; a one sets something off, and it reads as
whether that still waits; a one clears what the hardware has set."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """Some bits of a register. `shows` is the Verilog that is read, if not the name in small letters; of a
    field that software writes it is a register. `set_by` is the condition that sets a bit which software
    clears, or clears one which it sets."""

    name: str
    bits: int
    what: str
    access: Access = "r"
    low: int = 0
    shows: str = ""
    set_by: str = ""
    after_reset: int = 0

    @property
    def wire(self) -> str:
        return self.shows or self.name.lower()

    @property
    def place(self) -> str:
        """Its bits, as a data sheet writes them."""
        high = self.low + self.bits - 1
        return f"{high}:{self.low}" if high > self.low else f"{self.low}"


@dataclass(frozen=True, kw_only=True)
class Register:
    """A word of the map at a byte address, with its fields from the lowest bit."""

    name: str
    address: int
    fields: tuple[Field, ...]

    @property
    def written(self) -> bool:
        """Whether software may write it."""
        return any(field.access != "r" for field in self.fields)

    @property
    def shown(self) -> str:
        """The Verilog of the whole word."""
        parts, top = [], WORD_BITS
        for field in sorted(self.fields, key=lambda field: -field.low):
            gap = top - field.low - field.bits
            parts += [f"{gap}'d0"] * bool(gap) + [field.wire]
            top = field.low
        parts += [f"{top}'d0"] * bool(top)
        return "{" + ", ".join(parts) + "}" if len(parts) > 1 else parts[0]


def register_map(
    *, design: int, inputs: int, outputs: int, targets: Mapping[str, int], widths: Mapping[str, int]
) -> tuple[Register, ...]:
    """The map around one engine. `design` tells it from other engines, `inputs` and `outputs` are the beats
    of its streams, `targets` the numbers of what can be loaded, `widths` the bits of the pins of the load
    port."""
    words = -(-widths["load_data"] // WORD_BITS)
    given = [
        _constant("IDENTITY", IDENTITY, f"0x{IDENTITY:08x}, `ARCH` in ASCII"),
        _constant("VERSION", VERSION, f"{VERSION}, of this register map"),
        _constant("DESIGN", design, "of the engine: how the SHA-256 of its Verilog begins"),
        _constant("INPUTS", inputs, f"{inputs}, the beats of an input vector"),
        _constant("OUTPUTS", outputs, f"{outputs}, the beats of the scores"),
        ("CONTROL", _CONTROL),
        ("STATUS", _STATUS),
        ("CYCLES", (Field(name="CYCLES", bits=32, what="of the last inference, from start to done"),)),
        ("INFERENCES", (Field(name="INFERENCES", bits=32, what="that ended since reset, modulo 2^32"),)),
    ]
    told = {
        "load_target": "what is loaded: " + ", ".join(f"{number} {name}" for name, number in targets.items()),
        "load_unit": "of which PE, bank or lane",
        "load_address": "of the word; counts on by one with each word that is loaded",
    }
    for pin, what in told.items():
        loaded = Field(name=pin.upper(), bits=widths[pin], access="rw", what=what)
        given.append((pin.upper(), (loaded,)))
    for number in range(words):
        bits = min(WORD_BITS, widths["load_data"] - number * WORD_BITS)
        last = "; writing it loads the word" if number == words - 1 else ""
        what = f"bits {number * WORD_BITS} to {number * WORD_BITS + bits - 1} of the word{last}"
        name = f"LOAD_DATA_{number}"
        given.append((name, (Field(name=name, bits=bits, access="rw", what=what),)))
    return tuple(
        Register(name=name, address=WORD_BYTES * place, fields=fields)
        for place, (name, fields) in enumerate(given)
    )


def _constant(name: str, value: int, what: str) -> tuple[str, tuple[Field, ...]]:
    return name, (Field(name=name, bits=WORD_BITS, what=what, shows=f"{WORD_BITS}'h{value:08x}"),)


_CONTROL = (
    Field(
        name="START",
        bits=1,
        access="w1",
        shows="start_asked",
        set_by="launch",
        what="starts an inference on the inputs that are loaded, as soon as none runs",
    ),
    Field(
        name="AUTO_START",
        bits=1,
        low=1,
        access="rw",
        after_reset=1,
        what="each whole input vector starts an inference by itself; 1 after reset",
    ),
)
_STATUS = (
    Field(name="BUSY", bits=1, shows="running", what="an inference runs"),
    Field(name="DONE", bits=1, low=1, access="w1c", set_by="finished", what="an inference has ended"),
    Field(name="INPUTS_READY", bits=1, low=2, shows="vector_ready", what="a whole input vector waits"),
    Field(name="SCORES_WAIT", bits=1, low=3, shows="scores_wait", what="scores have not all left"),
    Field(
        name="TLAST_EARLY",
        bits=1,
        low=8,
        access="w1c",
        set_by="tlast_early_now",
        what="TLAST came before the last input; that vector was dropped",
    ),
    Field(
        name="TLAST_LATE",
        bits=1,
        low=9,
        access="w1c",
        set_by="tlast_late_now",
        what="TLAST was missing at the last input; all was dropped up to the next TLAST",
    ),
    Field(
        name="LOAD_REFUSED",
        bits=1,
        low=10,
        access="w1c",
        set_by="load_refused_now",
        what="a word was to be loaded while an inference ran",
    ),
)
