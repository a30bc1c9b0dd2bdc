"""The skeleton that all engines share: load port, descriptor fetch, activation banks, probes.

An engine adds where the activation address comes from and how the activation reaches the PE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyrtl

from rtl.parts.components import (
    PROBE,
    Memory,
    StructuredBlock,
    Wire,
    bits_for,
    component,
    fit,
    memory,
    named,
    register,
)
from rtl.parts.feed import Feed, feed
from rtl.parts.resume import Resume
from rtl.parts.sizes import Sizes
from rtl.parts.sweep import sweep

ENGINE_TARGETS = ("descriptor", "weight", "input", "index")
SWEEP_TARGETS = ("channel", "segment")
TRAINING_TARGETS = ("label", "unload")
LOAD_TARGETS = (*ENGINE_TARGETS, *SWEEP_TARGETS, "codebook", *TRAINING_TARGETS)
"""What `load_target` selects, by number: the memories of an engine, of what moves it over maps, where inputs
are the image that is read first, and a codebook of weights; of an engine that trains the register of labels,
and a weight that is read instead."""


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
    counters of the `rtl` fidelity. `input_free` is high while the load port may write inputs.
    """

    block: StructuredBlock
    sizes: Sizes
    memories: tuple[Memory, ...]
    probes: Mapping[str, Wire]
    ports: Ports
    input_free: Wire
    done: Wire
    score_valid: Wire
    scores: Wire


@dataclass(frozen=True)
class Turn:
    """Which memories of activations a stage reads: those of `half`, and with `first` the inputs instead where
    they have their own."""

    half: Wire
    first: Wire


def turns(starting: Wire, drained: Wire, finished: Wire) -> tuple[Turn, Wire]:
    """Whose turn it is to be read, which changes when a stage is `drained`, and done, from `finished` on."""
    low, high = pyrtl.Const(0, 1), pyrtl.Const(1, 1)
    half, first = register(1, "half", reset=True), register(1, "first_stage", reset=True)
    done = register(1, "done", reset=True)
    half.next <<= pyrtl.select(starting, low, half ^ drained)
    first.next <<= pyrtl.select(starting, high, first & ~drained)
    done.next <<= pyrtl.select(starting, low, done | finished)
    return Turn(half, first), done


@dataclass(frozen=True)
class BankPort:
    """What an engine asks of one bank of activations: a read of the half whose turn it is, or a write of the
    other one."""

    read_enable: Wire
    read_row: Wire
    write_enable: Wire
    write_row: Wire
    write_data: Wire


class Description:
    """The wires and memories of an engine while it is being described."""

    def __init__(self, sizes: Sizes, *, copied: bool = False) -> None:
        """With `copied` every bank keeps all inputs, which are loaded into all of them at once."""
        self.block, self.copied = StructuredBlock(), copied
        pyrtl.set_working_block(self.block)
        self.sizes, shapes = sizes, sizes.memory_shapes
        self.memories: list[Memory] = []
        self.enables: dict[str, list[Wire]] = {}
        units = {shape.role: shape.number for shape in shapes} | dict.fromkeys(sizes.own_targets, 1)
        chosen_from = (*ENGINE_TARGETS, *(SWEEP_TARGETS if sizes.sweep else ()), *units)
        targets = {name: number for number, name in enumerate(LOAD_TARGETS) if name in chosen_from}
        self.pins = self.ports = Ports(
            start=pyrtl.Input(1, "start"),
            load_enable=pyrtl.Input(1, "load_enable"),
            load_target=pyrtl.Input(bits_for(max(targets.values()) + 1), "load_target"),
            load_unit=pyrtl.Input(bits_for(max(units.values())), "load_unit"),
            load_address=pyrtl.Input(bits_for(max(shape.words for shape in shapes)), "load_address"),
            load_data=pyrtl.Input(max(shape.word_bits for shape in shapes), "load_data"),
        )
        units["input"] = 1 if sizes.sweep else sizes.activation_memories
        with component("controller"):
            self._load: dict[str, list[Wire]] = {}
            for target, number in targets.items():
                chosen = self.ports.load_enable & (self.ports.load_target == number)
                everywhere = units.get(target) == 1 or (copied and target == "input")
                self._load[target] = [
                    named(
                        chosen if everywhere else chosen & (self.ports.load_unit == u), f"load_{target}_{u}"
                    )
                    for u in range(units.get(target, 0))
                ]
        self.feed = self._feed() if sizes.sweep else None

    def _feed(self) -> Feed:
        """What the engine is given by the sweep over maps, which the pins then load."""
        sizes = self.sizes
        given = feed(sizes.banks, sizes.address.bits, sizes.activation_bits)
        self.ports = replace(self.pins, start=given.start)
        self._load["image"] = self._load["input"]
        with component("places"):
            self._load["input"] = [
                named(
                    given.enable if self.copied or sizes.banks == 1 else given.enable & (given.unit == u),
                    f"feed_{u}",
                )
                for u in range(sizes.activation_memories)
            ]
        return given

    @property
    def resume(self) -> Resume | None:
        """From where a start goes on; `None` where it is always from the first stage."""
        return self.feed.resume if self.feed else None

    def loaded_memory(
        self,
        role: str,
        unit: int,
        *,
        words: int,
        word_bits: int,
        read_enable: Wire,
        read_address: Wire,
        counts_writes: bool = False,
    ) -> Wire:
        """A memory that only the load port writes, which is counted where it belongs to an inference. Returns
        its held output word."""
        load = self._load[role][unit]
        address = load_address = self.ports.load_address
        if self.sizes.one_address:
            bits = bits_for(words)
            with component("controller"):
                address = named(
                    pyrtl.select(load, fit(load_address, bits), fit(read_address, bits)),
                    f"{role}_address_{unit}",
                )
        made = memory(
            role,
            unit,
            words=words,
            word_bits=word_bits,
            read_enable=read_enable,
            read_address=address if self.sizes.one_address else read_address,
            write_enable=load,
            write_address=address,
            write_data=self.ports.load_data,
        )
        self._count(made, read_enable, load if counts_writes else None)
        return made.data

    def activation_bank(self, unit: int, turn: Turn, port: BankPort) -> Wire:
        """The memories of one bank of activations. The engine reads one half while it writes the other, and
        the load port writes inputs. Returns the word read, held until the next."""
        words = self.sizes.activation_words
        own_input = "input" in words
        with component("route"):
            later = ~turn.first if own_input else pyrtl.Const(1, 1)
            reads = {"input": turn.first, "activation_0": ~turn.half & later, "activation_1": turn.half}
            written = {"activation_0": turn.half, "activation_1": ~turn.half}
            data = {}
            for role, deep in words.items():
                loads = role == ("input" if own_input else "activation_0")
                data[role] = self._activation_memory(
                    role, unit, deep, port, reads[role], written.get(role), loads=loads
                )
            words_read = list(data.items())
            value = words_read[-1][1]
            for role, word in words_read[-2::-1]:
                value = pyrtl.select(reads[role], word, value)
            return named(value, f"word_{unit}")

    def _activation_memory(
        self,
        role: str,
        unit: int,
        words: int,
        port: BankPort,
        reads: Wire,
        writes: Wire | None,
        *,
        loads: bool,
    ) -> Wire:
        """One memory of activations, which the engine may read while `reads` is high and write while `writes`
        is; where it `loads` the load port writes it too."""
        bits, load = bits_for(words), self._load["input"][unit]
        read_enable = named(port.read_enable & reads, f"read_{role}_{unit}")
        address, data = self.ports.load_address, self.ports.load_data
        if self.feed:
            address, data = self.feed.address, self.feed.data
        read_row, loaded_row = fit(port.read_row, bits), fit(address, bits)
        loaded = named(fit(data, self.sizes.activation_bits), f"loaded_{role}_{unit}")
        if writes is not None:
            write_enable, row, data = port.write_enable & writes, fit(port.write_row, bits), port.write_data
            if loads:
                write_enable = write_enable | load
                row, data = pyrtl.select(load, loaded_row, row), pyrtl.select(load, loaded, data)
        else:
            write_enable, row, data = load, loaded_row, loaded
        write_enable = named(write_enable, f"write_{role}_{unit}")
        if self.sizes.one_address:
            reading = reads & ~load if loads else reads
            row = read_row = named(pyrtl.select(reading, read_row, row), f"row_{role}_{unit}")
        return self._activations(role, unit, words, (read_enable, read_row), (write_enable, row, data))

    def swept_memory(
        self, role: str, unit: int, words: int, *, read: tuple[Wire, Wire], write: tuple[Wire, Wire, Wire]
    ) -> Wire:
        """One bank of a map: to be read where and when `read` says, and written where, when and what `write`
        says. Returns its held output word."""
        bits, (read_enable, read_row), (write_enable, write_row, data) = bits_for(words), read, write
        read_row, write_row = fit(read_row, bits), fit(write_row, bits)
        if self.sizes.one_address:
            with component("places"):
                chosen = pyrtl.select(write_enable, write_row, read_row)
                read_row = write_row = named(chosen, f"{role}_row_{unit}")
        return self._activations(role, unit, words, (read_enable, read_row), (write_enable, write_row, data))

    def _activations(
        self, role: str, unit: int, words: int, read: tuple[Wire, Wire], write: tuple[Wire, Wire, Wire]
    ) -> Wire:
        """A counted memory of activations, read and written when and where these say. Returns its held output
        word."""
        made = memory(
            role,
            unit,
            words=words,
            word_bits=self.sizes.activation_bits,
            read_enable=read[0],
            read_address=read[1],
            write_enable=write[0],
            write_address=write[1],
            write_data=write[2],
        )
        self._count(made, read[0], write[0])
        return made.data

    def loads(self, target: str, unit: int = 0) -> Wire:
        """Whether the load port writes a unit of a target."""
        return self._load[target][unit]

    def own_memory(
        self, role: str, unit: int, words: int, word_bits: int, *, loaded: bool = True, **ports: Wire
    ) -> Wire:
        """A counted memory with a port to read and one to write, as `memory` takes them; with `loaded` what
        the load port writes is counted too. Returns its held output word."""
        two_ports = {shape.role: shape.ports == "1r1w" for shape in self.sizes.memory_shapes}[role]
        made = memory(role, unit, words=words, word_bits=word_bits, two_ports=two_ports, **ports)
        written = ports["write_enable"]
        self._count(made, ports["read_enable"], written if loaded else written & ~self.ports.load_enable)
        return made.data

    def count_products(self, accumulate: Wire) -> None:
        """Counts the cycles in which a PE accumulates."""
        self.enables.setdefault("pe.product", []).append(accumulate)

    def _count(self, made: Memory, read_enable: Wire, write_enable: Wire | None) -> None:
        self.memories.append(made)
        self.enables.setdefault(f"{made.role}.read", []).append(read_enable)
        if write_enable is not None:
            self.enables.setdefault(f"{made.role}.write", []).append(write_enable)

    def _free(self, busy: Wire, turn: Turn) -> Wire:
        """Whether inputs may be written."""
        return ~busy | ~turn.first if self.sizes.input_rows else ~busy

    def finish(
        self, *, done: Wire, busy: Wire, turn: Turn, score_valid: Sequence[Wire], scores: Sequence[Wire]
    ) -> Hardware:
        """Names the outputs and the probes and closes the description."""
        done_out, busy_out = pyrtl.Output(1, "done"), pyrtl.Output(1, "busy")
        swept = None
        if self.feed:
            free = self._free(busy, turn)
            swept = sweep(self, self.feed, busy=busy, free=free, valid=score_valid, scores=scores)
            done, busy, score_valid = swept.done, swept.busy, swept.score_valid
        free_out = pyrtl.Output(1, "input_free")
        valid_out = pyrtl.Output(len(score_valid), "score_valid")
        scores_out = pyrtl.Output(len(scores) * len(scores[0]), "scores")
        done_out <<= done
        busy_out <<= busy
        free_out <<= swept.free if swept else self._free(busy, turn)
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
            ports=self.pins,
            input_free=free_out,
            done=done_out,
            score_valid=valid_out,
            scores=scores_out,
        )
