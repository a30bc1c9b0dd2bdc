"""Puts the reproduction of Dey et al. together: predictions beside published figures, and the words for
them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports import formatting as f
from reports.claims import Claim, MatchRule
from reports.predictions import (
    GROUNDS,
    PREDICTION_HEADS,
    Prediction,
    assumed,
    claim,
    prediction_table,
    stated_assumptions,
    tally,
)
from reports.report import Report, Section
from reports.studies.dey_reconfig2018.figures import NAME, EngineRun, Measured, Ran
from reports.studies.dey_reconfig2018.rows import clock_rows, memory_rows, place, product_rows
from reports.tables import Cell, Column, Table

LIMITS = (
    "The paper's table of resources and power was not found, so neither is predicted here.",
    "Clocks are those of one pass through a junction. Loading of weights and the start of a run are not "
    "counted.",
    "How many DSP blocks a product takes is what Yosys maps it to; the published design was mapped by "
    "Vivado.",
)


def write_up(measured: Measured, content: Mapping[str, Any]) -> Report:
    """The report. `content` is the study's data file."""
    clocks, products, memories = (
        clock_rows(measured, content),
        product_rows(measured, content),
        memory_rows(measured),
    )
    rows = (*clocks, *products, *memories)
    rule = MatchRule(**content["rule"])
    assumptions = stated_assumptions(content)
    return Report(
        name=NAME,
        title="An edge-parallel sparse network on an FPGA: clocks, multipliers, memories",
        question=(
            "Does a model of the hardware that knows no formula arrive at the published clocks of a "
            "junction, and do its multipliers fit the device?"
        ),
        setup=_setup(content),
        citation=" ".join(content["citation"].split()),
        summary=tuple(_summary(measured, rows, content)),
        sections=(
            Section(
                "Clocks",
                paragraphs=(_how_it_ran(measured.junctions),),
                tables=(
                    prediction_table("clocks", "Clocks and times of a junction", "junction", clocks),
                    _pattern_table(measured.junctions),
                ),
            ),
            Section(
                "Multipliers and DSP blocks",
                tables=(
                    prediction_table(
                        "multipliers", "Multipliers for training, and their DSP blocks", "junction", products
                    ),
                    _dsp_table(measured),
                ),
            ),
            Section(
                "Memories",
                tables=(prediction_table("memories", "Memories of a junction", "junction", memories),),
            ),
            Section(
                "The project's own engines on the same network",
                paragraphs=(_engines_differ(measured, content),),
                tables=(_engine_table(measured, content),),
            ),
        ),
        claims=tuple(_claims(rows, measured, content, rule)),
        rule=f"Rule: {rule}. {assumed(assumptions)}",
        limits=(f"How the published figures were read: {' '.join(content['how_read'].split())}.", *LIMITS),
        assumptions=assumptions,
        designs={},
        command=f"archsim reproduce {NAME}",
        figures={
            "study": NAME,
            "predictions": [row.plain() for row in rows],
            "engines": [vars(run) for run in measured.engines],
            "dsps_of_a_product": dict(measured.dsps),
        },
        claim_heads=PREDICTION_HEADS,
        grounds=GROUNDS,
    )


def _setup(content: Mapping[str, Any]) -> str:
    given = content["parameters"]
    return (
        f"A network of {'-'.join(map(str, given['layers']))} neurons with {given['word_bits']}-bit words on "
        f"{given['device']} at {f.scaled(given['clock_hz'], 'Hz')}; fan-out {_both(given['fan_out'])}, "
        f"{_both(given['parallelism_z'])} edges a clock in its two junctions."
    )


def _how_it_ran(junctions: Sequence[Ran]) -> str:
    right = all(ran.sums_hold for ran in junctions)
    return (
        "Each junction ran clock by clock with random integers: every memory serves one read a clock, and a "
        "step goes on only when all its activations have been read. The sums "
        + ("equal" if right else "do not equal")
        + " the product of the matrix and the vector."
    )


def _both(values: Sequence[int]) -> str:
    return " and ".join(map(str, values))


# Other tables.


def _pattern_table(junctions: Sequence[Ran]) -> Table:
    rows = [
        (place(number), label, run.clocks, run.waits)
        for number, ran in enumerate(junctions)
        for label, run in (("clash-free", ran.plain), ("drawn at random", ran.at_random))
    ]
    checked = all(ran.clash_free and ran.degrees_hold for ran in junctions)
    clocks = Column("clocks", "count"), Column("of which waiting for a memory", "count")
    return Table(
        "What a clash-free pattern saves, without pipeline",
        ("junction", "connections", *clocks),
        rows,
        name="patterns",
        words=2,
        note=(
            "Checked for every step: each memory is read exactly once, each neuron has its fan-in and "
            "fan-out, and no two edges are equal."
            if checked
            else "The pattern failed its check: a memory is read twice in a step, or a neuron lacks an edge."
        ),
    )


def _dsp_table(measured: Measured) -> Table:
    return Table(
        "DSP48E1 of one signed product, mapped by Yosys",
        ("product", Column("DSP48E1", "count")),
        (
            (Cell(f"{bits} x {bits} bits", f"{bits} × {bits} bits"), taken)
            for bits, taken in measured.dsps.items()
        ),
        name="dsp",
    )


def _engine_table(measured: Measured, content: Mapping[str, Any]) -> Table:
    clock_hz = content["parameters"]["clock_hz"]
    multipliers = sum(ran.junction.z for ran in measured.junctions)
    edges = sum(ran.junction.edges for ran in measured.junctions)
    apart = max(ran.plain.clocks for ran in measured.junctions)
    through = sum(ran.plain.clocks for ran in measured.junctions)
    lines = [("edge-parallel, both junctions at once", multipliers, apart, through, edges)]
    lines += [(f"{run.engine}", run.pes, run.clocks, run.clocks, run.macs) for run in measured.engines]
    return Table(
        "One input through the network",
        (
            "design",
            Column("multipliers", "count"),
            Column("clocks an input", "count"),
            Column("clocks from first to last", "count"),
            Column("time from first to last", "s"),
            Column("multipliers at work", "share", 0),
        ),
        (
            (name, pes, clocks, latency, latency / clock_hz, products / (pes * clocks))
            for name, pes, clocks, latency, products in lines
        ),
        name="engines",
        note=f"The engines' clocks are those from start to done, {_agreement(measured.engines)}.",
    )


def _agreement(engines: Sequence[EngineRun]) -> str:
    same = all(run.clocks == run.simulated_clocks for run in engines)
    return (
        "the closed form and the event simulation alike"
        if same
        else "by the closed form; the simulation differs"
    )


def _engines_differ(measured: Measured, content: Mapping[str, Any]) -> str:
    most = max(run.pes for run in measured.engines)
    fastest = min((run for run in measured.engines if run.pes == most), key=lambda run: run.clocks)
    outputs = content["parameters"]["layers"][1:]
    return (
        "The CSC and the Clos engine run a network of the same layers, fan-in and fan-out. They are "
        "output-parallel: a PE works on one output at a time and takes as many clocks as that has inputs, "
        f"so no more than {_both(outputs)} PEs find work in the two layers. {fastest.engine} with {most} PEs "
        f"takes {fastest.clocks} clocks, and {f.percent(fastest.macs / (most * fastest.clocks), 0)} of its "
        "multipliers are at work. The edge-parallel design deals the inputs of one output to many "
        "multipliers and adds them up in a tree, and works on two inputs at once, one in each junction; for "
        "that its pattern, its degree of parallelism and its memories are built for just one network."
    )


# Words.


def _summary(measured: Measured, rows: Sequence[Prediction], content: Mapping[str, Any]) -> Iterator[str]:
    yield tally(rows)
    plain, published = (
        {(ran.plain.clocks, ran.pipelined.clocks) for ran in measured.junctions},
        (
            content["published"]["cycles_no_pipeline"]["value"],
            content["published"]["cycles_as_published"]["value"],
        ),
    )
    met = plain == {published}
    yield (
        f"A junction takes {_both(sorted({ran.plain.clocks for ran in measured.junctions}))} clocks without "
        f"pipeline and {_both(sorted({ran.pipelined.clocks for ran in measured.junctions}))} with it, "
        + ("just as published" if met else f"where {_both(published)} are published")
        + "; the model counts them one by one and has a clock each for the read, the processing and the "
        "write. Were results written in the clock that makes them, each would be one less."
    )
    longest = max(measured.junctions, key=lambda ran: ran.at_random.clocks / ran.plain.clocks)
    yield (
        "A pattern that lets no two edges of a step meet in a memory is worth "
        f"{f.ratio(longest.at_random.clocks / longest.plain.clocks)} in clocks: connections drawn at random, "
        f"with the same fan-in and fan-out, take {longest.at_random.clocks} in place of "
        f"{longest.plain.clocks}."
    )
    for row in rows:
        if row.figure == "DSP blocks, forward" and row.why:
            yield f"What does not hold is the rule for DSP blocks: {row.why}."


def _claims(
    rows: Sequence[Prediction], measured: Measured, content: Mapping[str, Any], rule: MatchRule
) -> Iterator[Claim]:
    said = content["published"]
    texts = {
        "clocks without pipeline": f"{said['cycles_no_pipeline']['value']} clocks without pipeline",
        "clocks as published": f"{said['cycles_as_published']['value']} clocks with pipeline",
        "update multipliers": "multipliers of the update",
        "backward multipliers": "multipliers of the backward pass",
        "DSP blocks, forward": "DSP blocks by the published rule",
    }
    random = {place(n): ran.at_random.clocks for n, ran in enumerate(measured.junctions)}
    for row in rows:
        if row.figure in texts:
            other = (
                f"connections drawn at random: {random[row.place]} clocks"
                if row.figure.endswith("pipeline")
                else "—"
            )
            yield claim(row, text=texts[row.figure], where=row.place, rule=rule, other=other)
