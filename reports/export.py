"""Writes a design point as hardware: Verilog, memory images, a self-checking test bench, how to run it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.output import whole_folder

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
            file.write_text(text, encoding="utf-8")
        return sorted(str(file.relative_to(room)) for file in room.rglob("*") if file.is_file())


def _files(design: DesignPoint, mapping: Mapping, inputs: int) -> dict[str, str]:
    import numpy as np

    from archsim.costs.stimulus import sample_inputs, stimulus_name
    from archsim.engine.hardware_run import OutputMismatchError, run_rtl
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
        "design.yaml": yaml.safe_dump(design.model_dump(), sort_keys=False),
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
