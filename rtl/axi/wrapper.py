"""Writes the AXI wrapper of an engine as Verilog."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from rtl.axi.registers import WORD_BITS, WORD_BYTES, Register, register_map
from rtl.axi.streams import Streams
from rtl.parts.components import bits_for
from rtl.parts.skeleton import ENGINE_TARGETS, LOAD_TARGETS, Hardware
from rtl.verilog import VerilogDesign

AXI_MODULE, AXI_CLOCK = "archsim_axi", "aclk"
BYTE_BITS = 8


@dataclass(frozen=True)
class Port:
    """A pin of the wrapper, or a bus of them; `kept` where it is the output of a register of its own."""

    name: str
    bits: int = 1
    output: bool = False
    kept: bool = False


@dataclass(frozen=True)
class AxiWrapper:
    """The text of the wrapper, its ports but for the clock, its register map, its streams with the bits of a
    beat, and the numbers that templates are filled with."""

    verilog: str
    ports: tuple[Port, ...]
    registers: tuple[Register, ...]
    streams: Streams
    beat_bits: int
    numbers: dict[str, Any]


def make_axi_wrapper(hardware: Hardware, engine: VerilogDesign, streams: Streams) -> AxiWrapper:
    """The wrapper of `hardware`, whose text is `engine`, for these `streams`.

    A beat is one activation, or one score, in as many bytes as it needs, two's complement. The engine cannot
    wait, so scores are kept until they have left, and the next inference starts once they have.
    """
    ports, sizes = hardware.ports, hardware.sizes
    targets = LOAD_TARGETS if sizes.sweep else ENGINE_TARGETS
    widths = {name: len(getattr(ports, name)) for name in LOAD_PINS}
    design = int(hashlib.sha256(engine.text.encode()).hexdigest()[:8], 16)
    registers = register_map(
        design=design,
        inputs=streams.inputs,
        outputs=len(streams.scores),
        targets={name: number for number, name in enumerate(targets)},
        widths=widths,
    )
    beat_bits = -(-sizes.activation_bits // BYTE_BITS) * BYTE_BITS
    address_bits = bits_for(len(registers) * WORD_BYTES)
    axi_ports = (Port("aresetn"), *_stream_ports(beat_bits), *_lite_ports(address_bits))
    numbers = {
        "top": engine.top,
        "design": design,
        "module": AXI_MODULE,
        "clock": AXI_CLOCK,
        "ports": axi_ports,
        "registers": registers,
        "address_bits": address_bits,
        "data_words": -(-widths["load_data"] // WORD_BITS),
        "input_target": targets.index("input"),
        "pes": sizes.pes,
        "bits": sizes.activation_bits,
        "beat_bits": beat_bits,
        "rows": max(row for _, row in streams.scores) + 1,
        "streams": streams,
        "bits_for": bits_for,
        **widths,
    }
    verilog = render("archsim_axi.v.j2", numbers)
    return AxiWrapper(verilog, axi_ports, registers, streams, beat_bits, numbers)


def _stream_ports(beat_bits: int) -> tuple[Port, ...]:
    return (
        Port("s_axis_tdata", beat_bits),
        Port("s_axis_tvalid"),
        Port("s_axis_tready", output=True),
        Port("s_axis_tlast"),
        Port("m_axis_tdata", beat_bits, output=True, kept=True),
        Port("m_axis_tvalid", output=True, kept=True),
        Port("m_axis_tready"),
        Port("m_axis_tlast", output=True, kept=True),
    )


def _lite_ports(address_bits: int) -> tuple[Port, ...]:
    return (
        Port("s_axi_awaddr", address_bits),
        Port("s_axi_awprot", 3),
        Port("s_axi_awvalid"),
        Port("s_axi_awready", output=True),
        Port("s_axi_wdata", WORD_BITS),
        Port("s_axi_wstrb", WORD_BYTES),
        Port("s_axi_wvalid"),
        Port("s_axi_wready", output=True),
        Port("s_axi_bresp", 2, output=True, kept=True),
        Port("s_axi_bvalid", output=True, kept=True),
        Port("s_axi_bready"),
        Port("s_axi_araddr", address_bits),
        Port("s_axi_arprot", 3),
        Port("s_axi_arvalid"),
        Port("s_axi_arready", output=True),
        Port("s_axi_rdata", WORD_BITS, output=True, kept=True),
        Port("s_axi_rresp", 2, output=True, kept=True),
        Port("s_axi_rvalid", output=True, kept=True),
        Port("s_axi_rready"),
    )


LOAD_PINS = ("load_target", "load_unit", "load_address", "load_data")


def render(template: str, numbers: dict[str, Any]) -> str:
    """A template of this folder, filled."""
    return _environment().get_template(template).render(numbers)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("rtl.axi"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
