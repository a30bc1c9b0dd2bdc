"""Lattice ECP5: LUT4s, flip-flops, block RAMs and multipliers, counted, placed and routed. Nobody published
what they burn."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal

from archsim.technology.fpga.devices import Device, FpgaResources, read_devices
from archsim.technology.fpga.fpga import Fpga, FpgaMemory, PlaceAndRoute
from archsim.technology.memories.sram import Ports, known_size
from archsim.technology.quantity import Quantity, load_table
from archsim.technology.registry import technologies

DEVICES, PRIMITIVES = "ecp5_devices.csv", "ecp5_primitives.csv"
SHAPES = "ecp5_memory_shapes.csv"

_UNPRICED = (
    "no public report tells what an ECP5 burns for each resource at a known activity, so power is left out"
)
_UNTIMED = (
    "Yosys knows no delays of ECP5's block RAMs and multipliers, so a path through them has no length; "
    "fidelity layout has it placed, routed and timed"
)

SPEED = "6"
"""The slowest of the speed grades, which every device has."""

ASKED_MHZ = "100"
"""The clock that placing and routing aim at. It stays the same whatever a design's clock is, which is a
question to what comes out and not worth another placement."""

_SITES = {"lut4": "TRELLIS_COMB", "ff": "TRELLIS_FF", "ebr": "DP16KD", "mult18": "MULT18X18D"}


@cache
def _devices() -> Mapping[str, Device]:
    return read_devices(DEVICES, {name: name for name in Ecp5.counted}, family="ECP5")


@technologies.register("ecp5")
class Ecp5(Fpga):
    """An ECP5 device (those without transceivers), whose resources are counted in the mapped netlist, or in
    what nextpnr placed and routed.

    `memory` tells the block RAMs or the LUTs of LUT RAM that a memory takes, not what addresses them: an EBR
    has no read enable that holds its output, so that Yosys adds a register and a multiplexer for each bit.
    """

    counted: ClassVar[Mapping[str, str]] = {
        "lut4": "LUT4",
        "ff": "flip-flops",
        "ebr": "EBR",
        "mult18": "MULT18X18",
    }
    listed: ClassVar[tuple[str, ...]] = ("lut4", "ff", "ccu2c", "mult18", "ebr")
    primitives: ClassVar[str] = "Lattice ECP5 primitives"
    primitives_table: ClassVar[str] = PRIMITIVES
    # Flattened, an engine of 16 PEs takes more than ten minutes; equal modules are mapped once.
    synthesis: ClassVar[str] = "synth_ecp5 -noflatten"
    untimed: ClassVar[str] = _UNTIMED

    kind: Literal["ecp5"] = "ecp5"
    device: str = "LFE5U-25F"

    @classmethod
    def devices(cls) -> Mapping[str, Device]:
        return _devices()

    @property
    def missing(self) -> Mapping[str, str]:
        """Power and energy."""
        return dict.fromkeys(("energy_j", "power_w", "dynamic_power_w", "leakage_w"), _UNPRICED)

    @property
    def place_and_route(self) -> PlaceAndRoute:
        """By nextpnr-ecp5, pins wherever it likes."""
        size = self.device.removeprefix("LFE5U-").removesuffix("F")
        chip = (f"--{size}k", "--package", self.part.package, "--speed", SPEED, "--freq", ASKED_MHZ)
        free = ("--timing-allow-fail", "--lpf-allow-unconstrained")
        return PlaceAndRoute(family="ecp5", arguments=chip + free, sites=_SITES)

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> FpgaMemory:
        """The cheapest shape by Yosys's own costs, as often as it takes to hold the words."""
        known_size(words, word_bits, ports)

        def units(row: Mapping[str, Any]) -> int:
            return -(-words // int(row["words"])) * -(-word_bits // int(row["bits"]))

        table = load_table(SHAPES)
        best = min(table.rows, key=lambda row: row["cost"] * units(row))
        taken = FpgaResources(lut4=best["lut4"], ebr=best["ebr"]) * units(best)
        return FpgaMemory(
            words=words,
            word_bits=word_bits,
            built_as="bram" if taken["ebr"] else "lut_ram",
            resources=taken,
            read_energy_j=None,
            write_energy_j=None,
            kind=table.kind,
            source=table.source,
            resources_kind=table.kind,
            resources_source=table.source,
        )

    def provenance(self) -> tuple[Quantity, ...]:
        """What the device holds, what each primitive takes of it, and the path that a report tells."""
        told = () if self.known_path is None else (self.known_path,)
        held = load_table(DEVICES).quantities(device=self.device)
        return (*held, *load_table(PRIMITIVES).quantities(), *told)
