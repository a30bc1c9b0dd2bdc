"""A self-checking test bench for the AXI wrapper: both ends of every channel wait at random."""

from __future__ import annotations

from collections.abc import Sequence

from rtl.axi.registers import IDENTITY, VERSION, WORD_BYTES, Register
from rtl.axi.wrapper import LOAD_PINS, AxiWrapper, render
from rtl.parts.skeleton import Hardware
from rtl.simulation import Images, load_writes
from rtl.testbench import TestBench, hex_lines, packed

REPEATED = 2
"""Inferences of the first input that follow all others, after what is not allowed was done."""


def make_axi_bench(
    wrapper: AxiWrapper,
    hardware: Hardware,
    images: Images,
    inputs: Sequence[Sequence[int]],
    outputs: Sequence[Sequence[int]],
    cycles: Sequence[int],
) -> TestBench:
    """The test bench that streams these `inputs`, vector by vector in the order of the network, and expects
    these `outputs` and `cycles` of each."""
    widths = [len(getattr(hardware.ports, name)) for name in LOAD_PINS]
    network = load_writes(images)
    mask, beats = (1 << wrapper.beat_bits) - 1, wrapper.numbers["data_words"] + 4
    of_name = {register.name: register for register in wrapper.registers}
    after = len(wrapper.registers) * WORD_BYTES
    files = {
        "network.hex": hex_lines(packed(network, widths), sum(widths)),
        "vectors.hex": hex_lines([value & mask for one in inputs for value in one], wrapper.beat_bits),
        "outputs.hex": hex_lines([value & mask for one in outputs for value in one], wrapper.beat_bits),
        "cycles.hex": hex_lines(cycles, 32),
    }
    numbers = {
        **wrapper.numbers,
        "addresses": {name: register.address for name, register in of_name.items()},
        "status": _bits_of(of_name["STATUS"]),
        "constants": {
            "IDENTITY": IDENTITY,
            "VERSION": VERSION,
            "INPUTS": len(inputs[0]),
            "OUTPUTS": len(outputs[0]),
        },
        "unmapped": after if after < 1 << wrapper.numbers["address_bits"] else 0,
        "network": len(network),
        "load_bits": sum(widths),
        "vectors": len(inputs),
        "runs": len(inputs) + REPEATED,
        "inputs": len(inputs[0]),
        "outputs": len(outputs[0]),
        # Of twenty cycles a write, and eight a beat, whatever the dice say none comes near.
        "limit": 20 * beats * (len(network) + 40)
        + (len(inputs) + 6)
        * (8 * len(outputs[0]) + 20 * len(wrapper.streams.writes) + 2 * max(cycles) + 400),
    }
    return TestBench(render("testbench_axi.v.j2", numbers), files)


def _bits_of(register: Register) -> dict[str, int]:
    """The fields of a register by name, each as the word in which it alone is high."""
    return {field.name: 1 << field.low for field in register.fields}
