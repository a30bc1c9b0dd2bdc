"""What the hardware that moves a cascade over maps is made of: counters, and multiplexers of the maps' words.

Nobody fitted these. They are counted in the amounts of a counter that was, the sequencer of a PE of the
pruned engine, which is registers with an adder and an enable as these are.
"""

from __future__ import annotations

from rtl.parts.amounts import descriptor_counted_bits
from rtl.parts.components import bits_for
from rtl.parts.sizes import Amounts, Sizes

SWEEP_COMPONENTS = ("places", "resumed addresses")
"""What is added to an engine: a component of the netlist, and what address counters elsewhere have more."""

COUNTERS = "pruned.sequencer"
"""The family in whose amounts they are counted."""

COUNTING_FIELDS = (
    *("words_less_one", "kernel_rows_less_one", "kernel_columns_less_one", "columns_less_one"),
    *("rows_less_one", "last_channel", "bottom", "far", "bottom", "far"),
)
"""The fields of a segment to which something counts: rows and columns of a padded map twice, of the place and
under the kernel."""

STATE_BITS = 14
"""Bits of state, of what travels with a word that is asked for, and of which map is whose."""


def sweep_amounts(sizes: Sizes) -> tuple[Amounts, ...]:
    """The component that an engine has where it has places; none elsewhere."""
    sweep = sizes.sweep
    if sweep is None:
        return ()
    bits, pes, fields = sweep.address_bits, sizes.pes, sweep.bits
    maps, banks = len(sweep.rows), pes - 1
    counted = (
        sum(fields.get(name, 0) for name in COUNTING_FIELDS)
        + bits_for(sweep.segments)
        + sizes.address.bits
        + 3 * bits
        + (pes * bits if maps else 0)
    )
    scores = pes * (sizes.activation_bits + 1) if maps else 0
    held = bits + maps * bits_for(pes) + STATE_BITS
    chosen = maps * banks * sizes.activation_bits + maps * sizes.activation_bits
    addressed = maps * pes * bits if sizes.one_address else 0
    return (
        Amounts(
            SWEEP_COMPONENTS[0],
            1,
            COUNTERS,
            {"one": 1, "counted_bits": counted + chosen + addressed},
            # Scores are taken up where there are some, as counters count.
            {"one": 1, "counted_bits": counted + scores, "held_bits": held},
        ),
        Amounts(
            SWEEP_COMPONENTS[1],
            1,
            COUNTERS,
            {"one": 0, "counted_bits": 2 * resumed_bits(sizes)},
            {"one": 0, "counted_bits": resumed_bits(sizes), "held_bits": 0},
        ),
    )


def resumed_bits(sizes: Sizes) -> int:
    """Bits of the addresses from which a start goes on: of descriptors, weights and indices."""
    counters = {"weight": bits_for(sizes.weight_words + 1), "index": 0}
    shapes = {shape.role: shape for shape in sizes.memory_shapes}
    units = 1
    if "index" in shapes:
        counters["index"], units = bits_for(shapes["index"].words + 1), sizes.pes
    return units * sum(counters.values()) + descriptor_counted_bits(sizes)
