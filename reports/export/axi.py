"""The engine behind AXI: activations and scores on streams, loading and control in registers."""

from __future__ import annotations

from reports.export.registry import Exported, exporters
from reports.export.subject import Subject
from reports.export.text import filled
from reports.tables import Table
from rtl.axi import AXI_CLOCK, AXI_MODULE, LOAD_PINS, REPEATED, Register

WRAPPER, BENCH = f"{AXI_MODULE}.v", "testbench_axi.v"


@exporters.register("axi")
def axi(subject: Subject) -> Exported:
    """The wrapper, and a test bench in which both ends of every channel wait at random."""
    if not subject.behind_axi:
        return Exported()
    wrapper, bench = subject.wrapper, subject.axi_bench
    return Exported(
        files={WRAPPER: wrapper.verilog, BENCH: bench.verilog, **bench.files},
        about={
            WRAPPER: f"`{subject.verilog.top}` behind AXI4-Stream and AXI4-Lite, top module `{AXI_MODULE}`",
            BENCH: "loads the network over AXI, streams the inputs while both ends make each other wait at "
            "random, compares every score and the cycles, and does what is not allowed",
            **{
                name: "read by the test bench of the wrapper"
                for name in bench.files
                if name not in subject.bench.files
            },
        },
        readme=_readme(subject),
    )


def _readme(subject: Subject) -> str:
    wrapper, sizes = subject.wrapper, subject.mapping.sizes
    return filled(
        "axi.md.j2",
        module=AXI_MODULE,
        clock=AXI_CLOCK,
        inputs=wrapper.streams.inputs,
        outputs=len(wrapper.streams.scores),
        beat=wrapper.beat_bits,
        bits=sizes.activation_bits,
        design=wrapper.numbers["design"],
        overlaps=bool(sizes.input_rows or sizes.sweep),
        pins={pin: wrapper.numbers[pin] for pin in LOAD_PINS},
        table=_table(wrapper.registers).markdown(),
        top=subject.verilog.top,
        wrapper=WRAPPER,
        bench=BENCH,
        runs=len(subject.runs) + REPEATED,
    )


def _table(registers: tuple[Register, ...]) -> Table:
    """The register map."""
    columns = ("address", "register", "bits", "field", "access", "what it is")
    rows = (
        (
            f"0x{register.address:02x}",
            f"`{register.name}`",
            field.place,
            f"`{field.name}`",
            field.access,
            field.what,
        )
        for register in registers
        for field in register.fields
    )
    return Table("", columns, rows, words=len(columns))
