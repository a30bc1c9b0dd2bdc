"""What an engine is given where something other than the pins starts it and writes its inputs."""

from __future__ import annotations

from dataclasses import dataclass

from rtl.parts.components import Wire, bits_for, component, wire
from rtl.parts.resume import Resume


@dataclass(frozen=True)
class Feed:
    """What the engine is given instead of the pins: its start, and words of input."""

    start: Wire
    resume: Resume
    enable: Wire
    unit: Wire
    address: Wire
    data: Wire


def feed(banks: int, address_bits: int, activation_bits: int) -> Feed:
    """The wires of a feed, to be driven by `sweep`."""
    with component("places"):
        return Feed(
            start=wire(1, "engine_start"),
            resume=Resume(wire(1, "starts_first"), wire(1, "starts_again")),
            enable=wire(1, "feed"),
            unit=wire(bits_for(banks), "feed_unit"),
            address=wire(address_bits, "feed_address"),
            data=wire(activation_bits, "feed_data"),
        )


def drive(wire: Wire, value: Wire) -> None:
    """Drives a wire of a feed, which is an attribute and so cannot be assigned to."""
    wire <<= value
