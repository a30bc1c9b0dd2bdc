"""The folder: the engine with its memory images, a self-checking test bench, and what all exporters add."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.export.registry import Exported, ExportError, exporters
from reports.export.subject import Subject
from reports.export.text import filled
from reports.output import whole_folder
from rtl.testbench import hex_lines
from workloads.files import write_file, write_text
from workloads.strict_yaml import dump_yaml

if TYPE_CHECKING:
    from archsim import DesignPoint, Mapping

SINGLE = ("descriptor", "channel")
"""The loaded memories of which there is one."""


def export(design: DesignPoint, folder: Path, *, inputs: int = 2) -> list[str]:
    """Writes `folder` and returns the names of its files.

    The test benches run `inputs` inputs and expect the outputs of the integer network and the cycles of the
    simulated hardware. Raises OutputError where the folder cannot be written, MappingError where the engine
    cannot run the network, ClockError where the clock is the fastest one and no fit tells it.
    """
    mapping = design.mapping
    with whole_folder(folder) as room:
        values = _with_its_files(design, room)
        for name, text in _files(_subject(design, values, mapping, inputs)).items():
            file = room / name
            file.parent.mkdir(exist_ok=True)
            write_text(file, text)
        write_text(room / "design.yaml", dump_yaml(values))
        return sorted(str(file.relative_to(room)) for file in room.rglob("*") if file.is_file())


def _subject(design: DesignPoint, values: dict[str, Any], mapping: Mapping, inputs: int) -> Subject:
    import numpy as np

    from archsim.engine.hardware_run import OutputMismatchError, equal_weights, watch_rtl
    from archsim.engine.stimulus import sample_inputs

    x = sample_inputs(mapping.network, inputs + mapping.in_flight)
    runs, outputs, kept = watch_rtl(mapping, x)
    expected, weights = mapping.expected(x)
    if not (np.array_equal(outputs, expected) and equal_weights(kept[-1], weights[-1])):
        raise OutputMismatchError("the hardware gives other outputs than the integer network")
    return Subject(design, values, mapping, x, outputs, runs, kept[-1])


def _files(subject: Subject) -> dict[str, str]:
    from archsim.engine.stimulus import stimulus_name

    images, inputs = memory_images(subject.mapping), len(subject.runs)
    added = [write(subject) for write in exporters.values()]
    return {
        f"{subject.verilog.top}.v": subject.verilog.text,
        "testbench.v": subject.bench.verilog,
        **subject.bench.files,
        **images,
        **_together(added),
        "README.md": filled(
            "README.md.j2",
            design=subject.design,
            top=subject.verilog.top,
            bench_files=sorted(subject.bench.files),
            images=sorted(images),
            instances=subject.verilog.instances,
            inputs=inputs,
            stimulus=stimulus_name(subject.mapping.network, inputs),
            cycles=subject.runs[0].cycles,
            kept=len(subject.mapping.words_kept(subject.kept)),
            added=added,
        ),
    }


def _together(added: list[Exported]) -> dict[str, str]:
    """The files of all exporters. Raises ExportError where two write different texts under one name."""
    files: dict[str, str] = {}
    for one in added:
        for name, text in one.files.items():
            if files.setdefault(name, text) != text:
                raise ExportError.of("file of an exporter", name, "names that no other exporter writes to")
    return files


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
        f"memories/{role}{'' if role in SINGLE else f'_{unit:03d}'}.hex": hex_lines(words, widths[role])
        for role, memories in mapping.images.by_target.items()
        for unit, words in enumerate(memories)
        if role in widths
    }
