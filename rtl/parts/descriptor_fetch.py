"""How the controller of an engine comes by the descriptor of a stage: from a memory, a word a cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyrtl

from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register
from rtl.parts.descriptor import DESCRIPTOR_WORD_BITS
from rtl.parts.skeleton import Description


@dataclass(frozen=True)
class DescriptorFetch:
    """The controller's descriptor reader. `fields` are whole one cycle after `ready` is first high, and
    change while a stage drains; what is needed until its last result is written is `held`."""

    fields: Mapping[str, Wire]
    held: Mapping[str, Wire]
    ready: Wire


def descriptor_fetch(
    described: Description, *, begin: Wire, restart: Wire, stage_start: Wire
) -> DescriptorFetch:
    """Reads one descriptor into field registers, a word a cycle from the cycle after `begin`, and is ready in
    the cycle in which the last word enters its fields, until `stage_start`; `restart` points back at the
    first descriptor."""
    format_ = described.sizes.descriptor_format
    depth = described.sizes.stages * format_.words
    with component("controller"):
        fetching = register(1, "fetching", reset=True)
        waiting = register(1, "descriptor_waits", reset=True)
        address = register(bits_for(depth + 1), "descriptor_address", reset=True)
        count = register(bits_for(format_.words + 1), "descriptor_count", reset=True)
        reading = named(fetching & (count != format_.words), "fetch_descriptor")
        fetched = fetching & (count == format_.words)
        ready = fetched | waiting
        fetching.next <<= begin | (fetching & ~fetched)
        waiting.next <<= ready & ~stage_start
        if described.resume:
            described.resume.counts(address, "descriptor_address", starting=restart, steps=reading)
        else:
            address.next <<= pyrtl.select(
                restart,
                pyrtl.Const(0, len(address)),
                pyrtl.select(reading, fit(address + 1, len(address)), address),
            )
        count.next <<= pyrtl.select(reading, fit(count + 1, len(count)), pyrtl.Const(0, len(count)))
        word_address = named(fit(address, bits_for(depth)), "descriptor_word")
    word = described.loaded_memory(
        "descriptor",
        0,
        words=depth,
        word_bits=DESCRIPTOR_WORD_BITS,
        read_enable=reading,
        read_address=word_address,
    )
    with component("controller"):
        arrives = [fetching & (count == i + 1) for i in range(format_.words)]
        fields = {
            name: delayed(word[low : low + bits], f"field_{name}", enable=arrives[at])
            for name, (at, low, bits) in format_.places.items()
        }
        for name in described.sizes.early_fields:
            at, low, bits = format_.places[name]
            newest = pyrtl.select(arrives[at], word[low : low + bits], fields[name])
            fields[name] = named(newest, f"newest_{name}")
        begun = delayed(stage_start, "stage_begun", reset=True)
        held = {
            name: delayed(fields[name], f"held_{name}", enable=begun) for name in described.sizes.held_fields
        }
    return DescriptorFetch(fields, held, ready)
