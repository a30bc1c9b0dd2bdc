"""Measured logic: what synthesis found for hardware of given sizes, kept as a table and read back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from archsim.calibration.plan import in_turn
from archsim.costs.fidelity.estimate import ASIC_METRICS, PATH_METRIC
from archsim.costs.logic import Logic, LogicPart
from archsim.costs.operands import OperandActivity, Workload
from archsim.engine import engines
from archsim.technology import Artix7, FpgaResources
from archsim.technology.quantity import read_table
from rtl import Sizes
from workloads.files import write_text

SETS = ("train", "held_out")
UNITS = {
    **{metric: "mm2" if metric.endswith("area_mm2") else "J" for metric in ASIC_METRICS},
    "leakage_w": "W",
    PATH_METRIC: "s",
    "lut": "LUT",
    "ff": "flip-flop",
    "carry4": "CARRY4",
    "dsp": "DSP48E1",
    "bram18": "RAMB18E1",
    "bram36": "RAMB36E1",
}
FPGA_METRICS = Artix7.fitted
MEASURED = {"asic": (*ASIC_METRICS, "leakage_w"), "fpga": (*FPGA_METRICS, "dsp", "bram18", "bram36")}
ROWS, _ROWS_KIND = "|", "tuple["
"""What lies between the rows of a size that is several numbers, and how the kind of such a size begins."""

MEMORIES = "memories"
"""Stands for the memories of an FPGA among the components; those of an ASIC are macros, priced apart."""

_RATES = tuple(field.name for field in fields(OperandActivity))
_COUNTED = ("cycles", "interval_cycles", "products", "broadcasts", "emptied")
_WORK = {"asic": (*_COUNTED, *(f"{rate}_rate" for rate in _RATES)), "fpga": ()}
_HEAD = ("set", "configuration", "engine")
_TAIL = (PATH_METRIC, "component", "instances")
_TEXT_COLUMNS = ("set", "engine", "component")


@dataclass(frozen=True)
class Measurement:
    """A synthesised configuration: the sizes of its hardware, what came out, on an ASIC the work at which its
    switching was counted, and the delays in s of the ways that a path was found along."""

    sizes: Sizes
    logic: Logic
    workload: Workload | None = None
    delays: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The configuration in a few words."""
        s = self.sizes
        return (
            f"{s.label}, {s.pes} PEs, {s.weight_bits} x {s.activation_bits} bits, fetch {s.fetch_bits} bits"
        )


def figure(part: LogicPart, metric: str) -> float:
    """One metric of a part: its own on an ASIC, that of its resources on an FPGA."""
    return float(getattr(part, metric) if hasattr(part, metric) else part.resources[metric])


def write_measured(
    technology: str, kind: str, measured: Mapping[str, list[Measurement]], directory: Path
) -> None:
    """Writes the table of a technology and the file that describes its columns. A size that an engine lacks
    is left blank."""
    sizes = {field.name: str(field.type) for engine in in_turn() for field in _tabled(engine.hardware)}
    texts = [*_TEXT_COLUMNS, *(size for size, of_kind in sizes.items() if of_kind.startswith(_ROWS_KIND))]
    columns = [*_HEAD, *sizes, *_WORK[kind], *_TAIL, *MEASURED[kind]]
    rows = [
        {"set": label, "configuration": number, **_row(measurement, part, kind)}
        for label, measurements in measured.items()
        for number, measurement in enumerate(measurements)
        for part in (*measurement.logic.parts, *memory_parts(measurement.logic))
    ]
    name = f"logic_fit_{technology}_measured"
    text = pd.DataFrame(rows, columns=columns, dtype=object).to_csv(index=False)
    write_text(directory / f"{name}.csv", text, precious=True)
    units = {column: "bit" if column.endswith("_bits") else '"1"' for column in columns} | {
        column: "text" if column in texts else UNITS[column]
        for column in (*texts, PATH_METRIC, *MEASURED[kind])
    }
    described = (
        f"title: Netlists that the logic of {technology} was fitted to, and held out\n"
        f"table: {name}.csv\nkind: measured\nsource: >-\n"
        f"  Engines drawn by seed in archsim.calibration.plan, mapped by Yosys to {technology}, one row per\n"
        "  component with the figures of all its instances together; macros are priced apart\ncolumns:\n"
    )
    lines = [f"  {column}: {unit}\n" for column, unit in units.items()]
    write_text(directory / f"{name}.yaml", described + "".join(lines))
    _write_delays(technology, measured, directory)


def _write_delays(technology: str, measured: Mapping[str, list[Measurement]], directory: Path) -> None:
    """Writes the table of the delays of a technology's netlists, and its description."""
    name = f"logic_fit_{technology}_delays"
    rows = [
        (label, number, way, stored_text(delay_s))
        for label, measurements in measured.items()
        for number, measurement in enumerate(measurements)
        for way, delay_s in measurement.delays.items()
    ]
    columns = ["set", "configuration", "way", "delay_s"]
    text = pd.DataFrame(rows, columns=columns, dtype=object).to_csv(index=False)
    write_text(directory / f"{name}.csv", text, precious=True)
    write_text(
        directory / f"{name}.yaml",
        f"title: Delays of the ways through the netlists of logic_fit_{technology}_measured.csv\n"
        f"table: {name}.csv\nkind: measured\nsource: >-\n"
        "  The longest path along each way that rtl.parts.paths describes, from clock edge to clock edge,\n"
        "  memories and setup included; where the tool tells only the longest of all, that one\n"
        'columns:\n  set: text\n  configuration: "1"\n  way: text\n  delay_s: s\n',
    )


def memory_parts(logic: Logic) -> tuple[LogicPart, ...]:
    """What the memories of an FPGA take, as one part."""
    if logic.memory_resources is None:
        return ()
    return (LogicPart(MEMORIES, 1, resources=logic.memory_resources),)


def stored_s(delay_s: float) -> float:
    """A delay as the tables keep it."""
    return float(stored_text(delay_s))


def stored_text(delay_s: float) -> str:
    return f"{delay_s:.4g}"


def _tabled(sizes: type[Sizes]) -> Iterator[Field[Any]]:
    """The sizes that a table keeps: nothing with places is measured, so it keeps none of theirs."""
    return (field for field in fields(sizes) if field.name != "sweep")


def _written(size: int | tuple[tuple[int, ...], ...]) -> str | int:
    """A size as the table keeps it: a number, or of several the rows."""
    if isinstance(size, tuple):
        return ROWS.join(" ".join(map(str, row)) for row in size)
    return int(size)


def _read(cell: Any, kind: str) -> Any:
    """A size of a kind, from the table."""
    if kind.startswith(_ROWS_KIND):
        return tuple(tuple(map(int, row.split())) for row in cell.split(ROWS)) if cell else ()
    return bool(cell) if kind == "bool" else cell


def _row(measurement: Measurement, part: LogicPart, kind: str) -> dict[str, str | int]:
    return {
        "engine": measurement.sizes.engine,
        **{
            field.name: _written(getattr(measurement.sizes, field.name))
            for field in _tabled(type(measurement.sizes))
        },
        **_work(measurement.workload),
        PATH_METRIC: stored_text(measurement.logic.critical_path_s or 0.0),
        "component": part.component,
        "instances": part.instances,
        **{metric: f"{figure(part, metric):.6g}" for metric in MEASURED[kind]},
    }


def _work(workload: Workload | None) -> dict[str, str | int]:
    if workload is None:
        return {}
    rates = {f"{rate}_rate": f"{getattr(workload.operands, rate):.6g}" for rate in _RATES}
    return {**{name: getattr(workload, name) for name in _COUNTED}, **rates}


def _workload(row: Mapping[str, Any]) -> Workload | None:
    if "cycles" not in row:
        return None
    operands = OperandActivity(**{rate: row[f"{rate}_rate"] for rate in _RATES})
    return Workload(pes=row["pes"], operands=operands, **{name: row[name] for name in _COUNTED})


def read_measured(technology: str, directory: Path | None = None) -> dict[str, list[Measurement]]:
    """The stored measurements of a technology, by set: those that ship, or those of a directory. Raises
    ProvenanceError where the table is not described."""
    file = f"logic_fit_{technology}_measured.csv"
    measured: dict[str, list[Measurement]] = {label: [] for label in SETS}
    delays: dict[tuple[str, int], dict[str, float]] = {}
    for row in read_table(f"logic_fit_{technology}_delays.csv", directory).rows:
        delays.setdefault((row["set"], row["configuration"]), {})[row["way"]] = row["delay_s"]
    by_configuration = itertools.groupby(
        read_table(file, directory).rows, key=lambda row: (row["set"], row["configuration"])
    )
    for (label, number), grouped in by_configuration:
        rows = list(grouped)
        first, sizes_type = rows[0], engines.named(rows[0]["engine"]).hardware
        sizes = sizes_type(
            **{
                field.name: _read(first[field.name], str(field.type))
                for field in _tabled(sizes_type)
                # What was measured before there was a size has its default.
                if field.name in first
            }
        )
        logic = logic_of(rows, file)
        measured[label].append(Measurement(sizes, logic, _workload(first), delays.get((label, number), {})))
    return measured


def logic_of(rows: Sequence[Mapping[str, Any]], file: str) -> Logic:
    """The measured logic of the rows of a configuration, of a table in this file."""
    parts = [_part(row) for row in rows]
    memories = [part.resources for part in parts if part.component == MEMORIES]
    return Logic(
        parts=tuple(part for part in parts if part.component != MEMORIES),
        critical_path_s=rows[0][PATH_METRIC],
        kind="measured",
        source=file,
        memory_resources=memories[0] if memories else None,
    )


def _part(row: Mapping[str, Any]) -> LogicPart:
    asic = {name: row[name] for name in MEASURED["asic"] if name in row}
    fpga = {name: row[name] for name in MEASURED["fpga"] if name in row}
    return LogicPart(row["component"], row["instances"], **asic, resources=FpgaResources(**fpga))
