"""How long a net takes in a design that is not routed: a law that was found on one reference device, where
designs were routed, of how much of that device a design would take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.technology.fpga.ecp5 import Ecp5

REFERENCE = "LFE5U-85F"
"""The device on which nets were measured. A net is as long as what a design takes is wide, whatever device it
lies on: so the share of a design is always of this one."""

_TAKES_ROOM = ("lut4", "ebr", "mult18")
"""Resources that lie side by side; a flip-flop lies beside a LUT."""


def share_of_reference(used: Mapping[str, float]) -> float:
    """How much of the reference device a design takes: the sum of the shares of its LUT4s, block RAMs and
    multipliers."""
    held = Ecp5.devices()[REFERENCE].available
    return sum(used[name] / held[name] for name in _TAKES_ROOM)


@dataclass(frozen=True)
class NetLaw:
    """What a net of the reference device takes: `whole_s` in a design that takes all of it, times the share
    that a design takes to the power of `exponent`."""

    whole_s: float
    exponent: float

    def delay_s(self, share: float) -> float:
        """What a net takes in a design of this share; nothing in one that takes no room."""
        return self.whole_s * float(share**self.exponent)
