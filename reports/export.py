"""Writes a design point as hardware: Verilog, memory images, a self-checking test bench, how to run it."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf, Sequence
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.output import whole_folder
from workloads.files import write_file, write_text
from workloads.strict_yaml import dump_yaml

if TYPE_CHECKING:
    from archsim import DesignPoint, Mapping

TEMPLATE = "export_readme.md.j2"
SINGLE = ("descriptor", "channel")
"""The loaded memories of which there is one."""


def export(design: DesignPoint, folder: Path, *, inputs: int = 2) -> list[str]:
    """Writes `folder` and returns the names of its files.

    The test bench runs `inputs` inputs and expects the outputs of the integer network and the cycles of the
    simulated hardware. Raises OutputError where the folder cannot be written, MappingError where the engine
    cannot run the network.
    """
    mapping = design.mapping
    with whole_folder(folder) as room:
        for name, text in _files(design, mapping, inputs).items():
            file = room / name
            file.parent.mkdir(exist_ok=True)
            write_text(file, text)
        write_text(room / "design.yaml", dump_yaml(_with_its_files(design, room)))
        return sorted(str(file.relative_to(room)) for file in room.rglob("*") if file.is_file())


def _files(design: DesignPoint, mapping: Mapping, inputs: int) -> dict[str, str]:
    import numpy as np

    from archsim.engine.hardware_run import OutputMismatchError, run_rtl
    from archsim.engine.stimulus import sample_inputs, stimulus_name
    from rtl import make_test_bench, to_verilog

    x = sample_inputs(mapping.network, inputs)
    runs, outputs = run_rtl(mapping, x)
    if not np.array_equal(outputs, mapping.network.run(x)):
        raise OutputMismatchError("the hardware gives other outputs than the integer network")
    verilog = to_verilog(mapping.hardware)
    bench = make_test_bench(mapping.hardware, mapping.images, [mapping.load(column) for column in x.T], runs)
    images = memory_images(mapping)
    readme = Environment(
        loader=PackageLoader("reports"), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return {
        f"{verilog.top}.v": verilog.text,
        "testbench.v": bench.verilog,
        **bench.files,
        **images,
        "README.md": readme.get_template(TEMPLATE).render(
            design=design,
            top=verilog.top,
            bench_files=sorted(bench.files),
            images=sorted(images),
            instances=verilog.instances,
            inputs=inputs,
            stimulus=stimulus_name(mapping.network, inputs),
            cycles=runs[0].cycles,
        ),
    }


def _with_its_files(design: DesignPoint, room: Path) -> dict[str, Any]:
    """The design as plain values, with copies in the folder of all the files that it names, so that the
    folder can be moved."""
    from archsim.design import FILES
    from workloads import zoo_names

    def copied(value: Any, name: str) -> Any:
        if isinstance(value, MappingOf):
            return {**value, "files": copied(value.get("files"), name)}
        if isinstance(value, str) and "*" in value:
            value = sorted(glob(value)) or value
        if isinstance(value, list | tuple):
            return [copied(one, f"{name}-{place}") for place, one in enumerate(value, start=1)]
        if not isinstance(value, str) or not Path(value).is_file():
            return value
        content, copy = Path(value).read_bytes(), f"{name}{''.join(Path(value).suffixes[-2:])}"
        write_file(room / copy, lambda file: file.write(content))
        return copy

    values = design.model_dump()
    if values["network"] not in zoo_names():
        values["network"] = copied(values["network"], "network")
    values["inputs"] = copied(values.get("inputs"), "inputs")
    options = values["technology"]
    values["technology"] = options | {name: copied(options[name], name) for name in FILES if name in options}
    return {name: value for name, value in values.items() if value is not None}


def memory_images(mapping: Mapping) -> dict[str, str]:
    """The words of every loaded memory as text for `$readmemh`, by file name."""
    widths = {shape.role: shape.word_bits for shape in mapping.sizes.memory_shapes}
    return {
        f"memories/{role}{'' if role in SINGLE else f'_{unit:03d}'}.hex": _hex(words, widths[role])
        for role, memories in mapping.images.by_target.items()
        for unit, words in enumerate(memories)
        if role in widths
    }


def _hex(words: Sequence[int], bits: int) -> str:
    return "".join(f"{word:0{-(-bits // 4)}x}\n" for word in words)
