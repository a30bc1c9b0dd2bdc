"""A self-checking test bench for the AXI wrapper: both ends of every channel wait at random."""

from __future__ import annotations

from collections.abc import Sequence

from rtl.axi.registers import IDENTITY, VERSION, WORD_BYTES, Register
from rtl.axi.wrapper import LOAD_PINS, AxiWrapper, render
from rtl.parts.skeleton import Hardware
from rtl.simulation import Images, LoadWrite, load_writes
from rtl.testbench import TestBench, hex_lines, packed

REPEATED = 4
"""Inferences that follow those of all inputs: after what is not allowed was done, and started by hand."""


def make_axi_bench(
    wrapper: AxiWrapper,
    hardware: Hardware,
    images: Images,
    inputs: Sequence[Sequence[int]],
    loads: Sequence[Sequence[LoadWrite]],
    outputs: Sequence[Sequence[int]],
    cycles: Sequence[int],
) -> TestBench:
    """The test bench that streams these `inputs`, vector by vector in the order of the network, and expects
    these `outputs` and `cycles` of each. `loads` are what the load port would write for them."""
    widths = [len(getattr(hardware.ports, name)) for name in LOAD_PINS]
    network = load_writes(images)
    mask = (1 << wrapper.beat_bits) - 1
    of_name = {register.name: register for register in wrapper.registers}
    after = len(wrapper.registers) * WORD_BYTES
    files = {
        "network.hex": hex_lines(packed(network, widths), sum(widths)),
        "vectors.hex": hex_lines([value & mask for one in inputs for value in one], wrapper.beat_bits),
        "inputs.hex": hex_lines([word for writes in loads for word in packed(writes, widths)], sum(widths)),
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
        "writes": len(loads[0]),
        "stall": max(cycles) + 4 * len(loads[0]) + 100,
        "runs": len(inputs) + REPEATED,
        "inputs": len(inputs[0]),
        "outputs": len(outputs[0]),
        "limit": _limit(wrapper, len(network), len(loads[0]), len(inputs), max(cycles)),
    }
    return TestBench(render("testbench_axi.v.j2", numbers), files)


def _bits_of(register: Register) -> dict[str, int]:
    """The fields of a register by name, each as the word in which it alone is high."""
    return {field.name: 1 << field.low for field in register.fields}


def _limit(wrapper: AxiWrapper, network: int, vector: int, inputs: int, cycles: int) -> int:
    """Cycles that no run needs: twenty for each write of a register, and eight for each beat, whatever the
    dice say."""
    words: int = wrapper.numbers["data_words"]
    registers = 20 * (words + 4) * (network + vector + 60)
    beats = 8 * (len(wrapper.streams.scores) + 2 * len(wrapper.streams.writes))
    return registers + (inputs + REPEATED + 5) * (beats + 2 * cycles + 400)
