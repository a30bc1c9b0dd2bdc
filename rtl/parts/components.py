"""Components: which part of the hardware a net belongs to.

PyRTL knows one flat block. A cost model wants to say "the route costs this much", and a synthesiser
wants to map sixty-four equal PEs once. Every net is therefore tagged, when it is made, with the
component that is being described; the Verilog writer turns each component into a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyrtl

Wire = Any
"""A PyRTL wire. PyRTL carries no types, so the name is for the reader."""


@dataclass(frozen=True, order=True)
class Component:
    """One instance of one kind of part: `pe` number 3, or the only `controller` (number `None`)."""

    kind: str
    number: int | None = None

    @property
    def instance(self) -> str:
        return self.kind if self.number is None else f"{self.kind}_{self.number}"


DESCRIPTIONS = {
    "top": "The engine: its memories, PEs and control, joined.",
    "controller": "Fetches the descriptor of each stage, and leads the engine through it.",
    "address": "Finds where the next activations lie.",
    "sequencer": "Walks through the weights of a PE, and says when a row begins and ends.",
    "route": "Brings activations from the banks to the PEs, and results back.",
    "requantiser": "Rounds, shifts and clips a sum to an activation; PEs share it.",
    "places": "Moves the stages over the places of a map.",
    "pe": "A processing element: multiplies a weight by an activation and adds the product to its sum.",
    "weight_memory": "Weights, several in each word.",
    "index_memory": "What says where the inputs of a PE's weights lie.",
    "input_memory": "The inputs of an inference, apart from all other activations.",
    "activation_0_memory": "Activations that stages of even number read, and those of odd number write.",
    "activation_1_memory": "Activations that stages of odd number read, and those of even number write.",
    "descriptor_memory": "The descriptors of all stages.",
    "update": "Moves the weights of a PE against the product of an error and a signal.",
    "tree": "Adds up the products of weights and errors of all PEs.",
    "sums": "Adds the products of weights and errors that come to a bank to their sums.",
    "signal_0_memory": "Signals that stages of even number read, kept until their weights are updated.",
    "signal_1_memory": "Signals that stages of odd number read, kept until their weights are updated.",
    "kept_0_memory": "What stages of even number read, of all samples that have not gone back yet.",
    "kept_1_memory": "What stages of odd number read, of all samples that have not gone back yet.",
    "sum_0_memory": "Sums of the errors of the outputs of stages of even number.",
    "sum_1_memory": "Sums of the errors of the outputs of stages of odd number.",
}
"""What components are for, by kind; an engine may have kinds that are not among them."""


def described(kind: str) -> str:
    """What components of a kind are for, in a sentence; empty where nobody said it."""
    return DESCRIPTIONS.get(kind, "")


TOP = Component("top")
PROBE = Component("probe")
"""Nets that only watch: they are simulated and counted, and never exported."""


class StructuredBlock(pyrtl.Block):  # type: ignore[misc]
    """A PyRTL block that remembers, for every net, its component and its place in the order of making."""

    def __init__(self) -> None:
        super().__init__()
        self.component = TOP
        self.owner: dict[Any, Component] = {}
        self.signed_products: dict[str, tuple[Wire, Wire]] = {}
        self.memory_depth: dict[int, int] = {}
        self.two_ports: set[int] = set()
        self.open_ports: dict[str, Wire] = {}

    def add_net(self, net: Any) -> None:
        super().add_net(net)
        self.owner[net] = self.component


@contextmanager
def component(kind: str, number: int | None = None) -> Iterator[Component]:
    """Everything described inside belongs to this component."""
    block = pyrtl.working_block()
    before, block.component = block.component, Component(kind, number)
    try:
        yield block.component
    finally:
        block.component = before


def _full_name(name: str) -> str:
    return f"{pyrtl.working_block().component.instance}__{name}"


def register(bits: int, name: str, *, reset: bool = False) -> Wire:
    """A register of the present component. With `reset` it is cleared by the exported reset port;
    without, it is data, which some control bit with a reset guards."""
    return pyrtl.Register(bits, _full_name(name), reset_value=0 if reset else None)


def open_port(bits: int, name: str) -> Wire:
    """A named wire that is a port of the component which drives it even where nobody reads it, so that equal
    components remain equal."""
    made = wire(bits, name)
    pyrtl.working_block().open_ports[made.name] = made
    return made


def wire(bits: int, name: str) -> Wire:
    """A named wire of the present component, driven later with `<<=`."""
    return pyrtl.WireVector(bits, _full_name(name))


def named(value: Wire, name: str) -> Wire:
    """`value` under a name that shows in the exported ports."""
    shown = wire(len(value), name)
    shown <<= value
    return shown


def delayed(value: Wire, name: str, *, reset: bool = False, enable: Wire | None = None) -> Wire:
    """`value` one cycle later, or held while `enable` is low."""
    held = register(len(value), name, reset=reset)
    held.next <<= value if enable is None else pyrtl.select(enable, value, held)
    return held


def counted(counter: Wire, *, clear: Wire, step: Wire) -> None:
    """Makes a register count the cycles of `step` from zero, at which `clear` puts it; in any other cycle it
    need not be clocked."""
    bits = len(counter)
    following = pyrtl.select(clear, pyrtl.Const(0, bits), fit(counter + 1, bits))
    counter.next <<= pyrtl.select(clear | step, following, counter)


def staged(
    value: Wire, name: str, last: int, *, first: int = 1, reset: bool = False, enable: Wire | None = None
) -> dict[int, Wire]:
    """`value` in the pipeline stages `first` to `last`, by stage, each a register after the one before; the
    value itself is that of the stage before `first`."""
    stages = {first - 1: value}
    for stage in range(first, last + 1):
        stages[stage] = delayed(stages[stage - 1], f"{name}_{stage}", reset=reset, enable=enable)
    return stages


@dataclass(frozen=True)
class Memory:
    """One memory of the design, with a registered read port that holds its word, and a write port.

    `role` names what is kept there (`weight`, `index`, `input`, `activation_0`, `activation_1`,
    `descriptor`); `unit` which PE or bank it belongs to. Unless it was described with two ports it is never
    read and written in the same cycle, so that a macro with a single port serves.
    """

    role: str
    unit: int
    words: int
    word_bits: int
    block: Any = field(repr=False)
    data: Wire = field(repr=False)


def memory(
    role: str,
    unit: int,
    *,
    words: int,
    word_bits: int,
    read_enable: Wire,
    read_address: Wire,
    write_enable: Wire,
    write_address: Wire,
    write_data: Wire,
    two_ports: bool = False,
) -> Memory:
    """Describes a memory whose read *data* is registered, which synthesis turns into a macro or a block
    RAM with nothing around it. With `two_ports` it is read and written in one cycle."""
    with component(f"{role}_memory", unit):
        address_bits = bits_for(words)
        block = pyrtl.MemBlock(
            bitwidth=word_bits,
            addrwidth=address_bits,
            name=_full_name("mem"),
            max_read_ports=1,
            max_write_ports=1,
            asynchronous=True,
        )
        pyrtl.working_block().memory_depth[block.id] = words
        if two_ports:
            pyrtl.working_block().two_ports.add(block.id)
        data = register(word_bits, "q")
        data.next <<= pyrtl.select(read_enable, block[fit(read_address, address_bits)], data)
        block[fit(write_address, address_bits)] <<= pyrtl.MemBlock.EnabledWrite(
            fit(write_data, word_bits), enable=write_enable
        )
    return Memory(role, unit, words, word_bits, block, data)


def bits_for(count: int) -> int:
    """Bits that number `count` different values, at least one."""
    return max(1, (count - 1).bit_length())


def fit(value: Wire, bits: int) -> Wire:
    """`value` cut or zero-extended to `bits`."""
    return value[:bits] if len(value) >= bits else value.zero_extended(bits)
