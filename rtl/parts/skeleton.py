"""The skeleton that all engines share: load port, descriptor fetch, PE datapath, activation banks, probes.

An engine adds where the activation address comes from and how the activation reaches the PE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyrtl

from rtl.parts.arithmetic import requantise, signed_product
from rtl.parts.components import (
    PROBE,
    Memory,
    StructuredBlock,
    Wire,
    bits_for,
    component,
    delayed,
    fit,
    memory,
    named,
    register,
    staged,
)
from rtl.parts.descriptor import DESCRIPTOR_WORD_BITS
from rtl.parts.sizes import Sizes

LOAD_TARGETS = ("descriptor", "weight", "activation", "index")
"""What `load_target` selects, by number."""

TAKE, ACCUMULATE, FINISH, WRITE = range(1, 5)
"""The pipeline stages that follow the issue of a tap's addresses: operands enter the PE, their product is
accumulated, the sum is requantised, the result is written. A stage more in the PE moves those after it."""

PIPELINE_CYCLES = WRITE
"""Cycles from the issue of a tap's addresses to the write of the result it completes."""

GATHER_CYCLES = 1 + PIPELINE_CYCLES
"""Cycles from the issue of an entry's index to the write of the result it completes, without stalls: its
address follows from the index one cycle later."""


@dataclass(frozen=True)
class Ports:
    """The input wires of an engine."""

    start: Wire
    load_enable: Wire
    load_target: Wire
    load_unit: Wire
    load_address: Wire
    load_data: Wire


@dataclass(frozen=True)
class Hardware:
    """A described engine, ready to simulate or to export.

    `probes` maps a memory role and direction (`weight.read`, `activation.write`, …) to a wire with
    one bit per port enable, and `pe.product` to one with a bit per PE that accumulates; they are the
    counters of the `rtl` fidelity.
    """

    block: StructuredBlock
    sizes: Sizes
    memories: tuple[Memory, ...]
    probes: Mapping[str, Wire]
    ports: Ports
    done: Wire
    score_valid: Wire
    scores: Wire


class Description:
    """The wires and memories of an engine while it is being described."""

    def __init__(self, sizes: Sizes, *, banked: bool = True) -> None:
        self.block = StructuredBlock()
        pyrtl.set_working_block(self.block)
        self.sizes, shapes = sizes, sizes.memory_shapes
        self.memories: list[Memory] = []
        self.enables: dict[str, list[Wire]] = {}
        self.ports = Ports(
            start=pyrtl.Input(1, "start"),
            load_enable=pyrtl.Input(1, "load_enable"),
            load_target=pyrtl.Input(bits_for(len(LOAD_TARGETS)), "load_target"),
            load_unit=pyrtl.Input(bits_for(sizes.pes), "load_unit"),
            load_address=pyrtl.Input(bits_for(max(shape.words for shape in shapes)), "load_address"),
            load_data=pyrtl.Input(max(shape.word_bits for shape in shapes), "load_data"),
        )
        with component("controller"):
            chosen = {
                name: self.ports.load_enable & (self.ports.load_target == i)
                for i, name in enumerate(LOAD_TARGETS)
            }
            copied = () if banked else ("activation",)
            self._load: dict[str, list[Wire]] = {
                name: [
                    named(
                        chosen[name] if name in copied else chosen[name] & (self.ports.load_unit == u),
                        f"load_{name}_{u}",
                    )
                    for u in range(sizes.pes)
                ]
                for name in LOAD_TARGETS
            }

    def loading(self, role: str, unit: int) -> Wire:
        """High while the load port writes this memory. Copies of the activations are written at once."""
        return self._load[role][unit]

    def loaded_memory(
        self, role: str, unit: int, *, words: int, word_bits: int, read_enable: Wire, read_address: Wire
    ) -> Wire:
        """A memory that only the load port writes. Returns its held output word."""
        made = memory(
            role,
            unit,
            words=words,
            word_bits=word_bits,
            exclusive=True,
            read_enable=read_enable,
            read_address=read_address,
            write_enable=self.loading(role, unit),
            write_address=self.ports.load_address,
            write_data=self.ports.load_data,
        )
        self._count(made, read_enable, None)
        return made.data

    def activation_memory(
        self,
        unit: int,
        *,
        words: int,
        read_enable: Wire,
        read_address: Wire,
        write_enable: Wire,
        write_address: Wire,
        write_data: Wire,
    ) -> Wire:
        """A memory of activations, both halves: the engine reads one half while it writes the other, and
        the load port writes inputs while the engine rests. Returns its held output word."""
        with component("route"):
            load = self.loading("activation", unit)
            address = pyrtl.select(
                load, fit(self.ports.load_address, bits_for(words)), fit(write_address, bits_for(words))
            )
            address = named(address, f"write_address_{unit}")
            data = pyrtl.select(load, fit(self.ports.load_data, len(write_data)), write_data)
            data = named(data, f"write_data_{unit}")
            enable = named(load | write_enable, f"write_enable_{unit}")
        made = memory(
            "activation",
            unit,
            words=words,
            word_bits=self.sizes.activation_bits,
            exclusive=False,
            read_enable=read_enable,
            read_address=read_address,
            write_enable=enable,
            write_address=address,
            write_data=data,
        )
        self._count(made, read_enable, write_enable)
        return made.data

    def count_products(self, accumulate: Wire) -> None:
        """Counts the cycles in which a PE accumulates."""
        self.enables.setdefault("pe.product", []).append(accumulate)

    def _count(self, made: Memory, read_enable: Wire, write_enable: Wire | None) -> None:
        self.memories.append(made)
        self.enables.setdefault(f"{made.role}.read", []).append(read_enable)
        if write_enable is not None:
            self.enables.setdefault(f"{made.role}.write", []).append(write_enable)

    def finish(
        self, *, done: Wire, busy: Wire, score_valid: Sequence[Wire], scores: Sequence[Wire]
    ) -> Hardware:
        """Names the outputs and the probes and closes the description."""
        done_out, busy_out = pyrtl.Output(1, "done"), pyrtl.Output(1, "busy")
        valid_out = pyrtl.Output(len(score_valid), "score_valid")
        scores_out = pyrtl.Output(len(scores) * len(scores[0]), "scores")
        done_out <<= done
        busy_out <<= busy
        valid_out <<= pyrtl.concat_list(list(score_valid))
        scores_out <<= pyrtl.concat_list(list(scores))
        probes = {}
        with component(PROBE.kind):
            for name, enables in self.enables.items():
                probes[name] = pyrtl.Output(len(enables), f"probe_{name.replace('.', '_')}")
                probes[name] <<= pyrtl.concat_list(enables)
        return Hardware(
            block=self.block,
            sizes=self.sizes,
            memories=tuple(self.memories),
            probes=probes,
            ports=self.ports,
            done=done_out,
            score_valid=valid_out,
            scores=scores_out,
        )


@dataclass(frozen=True)
class DescriptorFetch:
    """The controller's descriptor reader: one word a cycle while `fetching`, then `fetched` for one
    cycle, in which the last word enters its fields."""

    fields: Mapping[str, Wire]
    fetched: Wire


def descriptor_fetch(described: Description, *, fetching: Wire, restart: Wire) -> DescriptorFetch:
    """Reads one descriptor into field registers, word by word, each time `fetching` is held high;
    `restart` points back at the first descriptor."""
    format_ = described.sizes.descriptor_format
    depth = described.sizes.stages * format_.words
    with component("controller"):
        address = register(bits_for(depth + 1), "descriptor_address", reset=True)
        count = register(bits_for(format_.words + 1), "descriptor_count", reset=True)
        reading = fetching & (count != format_.words)
        fetched = fetching & (count == format_.words)
        address.next <<= pyrtl.select(
            restart,
            pyrtl.Const(0, len(address)),
            pyrtl.select(reading, fit(address + 1, len(address)), address),
        )
        count.next <<= pyrtl.select(reading, fit(count + 1, len(count)), pyrtl.Const(0, len(count)))
    word = described.loaded_memory(
        "descriptor",
        0,
        words=depth,
        word_bits=DESCRIPTOR_WORD_BITS,
        read_enable=reading,
        read_address=fit(address, bits_for(depth)),
    )
    with component("controller"):
        arrives = [fetching & (count == i + 1) for i in range(format_.words)]
        fields = {
            name: delayed(word[low : low + bits], f"field_{name}", enable=arrives[at])
            for name, (at, low, bits) in format_.places.items()
        }
    return DescriptorFetch(fields, fetched)


@dataclass(frozen=True)
class TapControl:
    """What one PE is told in each pipeline stage: take operands, accumulate, finish an output."""

    take: Wire
    accumulate: Wire
    first: Wire
    finish: Wire


@dataclass(frozen=True)
class WeightFetch:
    """The fetches of weights: when one is due and where, and which weight of the held word is dealt out to
    the PE (`None` where a fetch brings one)."""

    due: Wire
    address: Wire
    sub_word: Wire | None

    def after(self, last: int, *, first: int = 1, enable: Wire | None = None) -> WeightFetch:
        """The same with `sub_word` as the pipeline stage `last` knows it."""
        if self.sub_word is None:
            return self
        return replace(
            self, sub_word=staged(self.sub_word, "sub_word", last, first=first, enable=enable)[last]
        )


def weight_fetch(
    sizes: Sizes, tap: Wire, *, stage_start: Wire, starting: Wire, name: str = "", reset: bool = False
) -> WeightFetch:
    """Fetches a word when a tap comes and the last word is used up, and deals out its weights."""
    per_fetch = sizes.weights_per_fetch
    sub = register(bits_for(per_fetch), "sub_word", reset=reset)
    at = register(bits_for(sizes.weight_words + 1), "weight_address", reset=True)
    due = tap & (sub == 0)
    if name:
        due = named(due, name)
    wraps = sub == per_fetch - 1
    sub.next <<= pyrtl.select(stage_start | (tap & wraps), pyrtl.Const(0, len(sub)), fit(sub + tap, len(sub)))
    at.next <<= pyrtl.select(starting, pyrtl.Const(0, len(at)), fit(at + due, len(at)))
    return WeightFetch(due, at, sub if per_fetch > 1 else None)


def processing_element(
    number: int,
    described: Description,
    weights: WeightFetch,
    activation: Wire,
    control: TapControl,
    field: Mapping[str, Wire],
) -> Wire:
    """Weight memory, multiplier, accumulator and requantiser of one PE. Returns the result register."""
    sizes = described.sizes
    word = described.loaded_memory(
        "weight",
        number,
        words=sizes.weight_words,
        word_bits=sizes.fetch_bits,
        read_enable=weights.due,
        read_address=weights.address,
    )
    described.count_products(control.accumulate)
    with component("pe", number):
        bits = sizes.weight_bits
        dealt = [word[i * bits : (i + 1) * bits] for i in range(sizes.weights_per_fetch)]
        weight = dealt[0] if weights.sub_word is None else choose(weights.sub_word, dealt)
        weight_operand = delayed(weight, "weight", enable=control.take)
        activation_operand = delayed(activation, "activation", enable=control.take)
        product = signed_product(weight_operand, activation_operand)
        total = register(sizes.accumulator_bits, "total")
        start = pyrtl.select(control.first, pyrtl.Const(0, sizes.accumulator_bits), total)
        added = fit(start + product.sign_extended(sizes.accumulator_bits), sizes.accumulator_bits)
        total.next <<= pyrtl.select(control.accumulate, added, total)
        rounded = requantise(total, field["shift"], field["relu"], sizes.activation_bits)
        return delayed(rounded, "result", enable=control.finish)


def choose(select: Wire, items: Sequence[Wire]) -> Wire:
    """`items[select]`; a select beyond the last item gives the last one."""
    if len(items) == 1:
        return items[0]
    half = 1 << (bits_for(len(items)) - 1)
    low = choose(select, items[:half])
    high = choose(select, items[half:])
    return pyrtl.select(select[bits_for(len(items)) - 1], high, low)
