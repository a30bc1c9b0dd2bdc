"""Tables of the engines as they were placed, in cells and on an ECP5, for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archsim.costs.fidelity.placing import placing_law
from archsim.technology.quantity import load_quantities, load_table
from reports.formatting import count
from reports.tables import Table


def routing_table() -> str:
    """The engines as they were placed and routed on an ECP5."""
    columns = {
        "engine": "",
        **dict.fromkeys(("PEs", "LUT4", "FF", "EBR"), "count"),
        "fastest clock": "Hz",
        "routing in the path": "share 1",
        "path over logic": "ratio",
        "a net": "s",
    }
    rows = (
        (
            *(row[name] for name in ("engine", "pes", "lut4", "ff", "ebr")),
            1 / row["routed_path_s"],
            row["routing_share"],
            row["routed_path_s"] / row["logic_path_s"],
            row["net_delay_s"],
        )
        for row in load_table("routing_ecp5.csv").rows
    )
    return Table("", columns, rows).markdown().replace("\N{NARROW NO-BREAK SPACE}", " ")


def net_law() -> str:
    """What a net of an ECP5 takes, in a sentence."""
    law = load_quantities("routing_ecp5_fit.yaml")
    whole, exponent = law["net_delay_s_of_whole_device"], law["net_delay_exponent"]
    off = (whole.error_factor or 1.0) - 1
    return (
        f"A net takes {float(whole) * 1e9:.2f} ns × (share of the device)^{float(exponent):.2f}: by that "
        "law, found\nwithout the engine in question, the nets of a design are off by "
        f"{off:.0%} (root mean square)."
    )


def placing_table() -> str:
    """The engines as they were mapped to 65 nm cells, and as they were placed."""
    columns = {
        "engine": "",
        **dict.fromkeys(("PEs", "cells"), "count"),
        "wire a sink": "m",
        "clock trees": "ratio",
        "area mapped": "mm2",
        "placed": "ratio",
        "path mapped": "s",
        "path placed": "ratio",
        "logic energy mapped": "J",
        "energy placed": "ratio",
    }
    rows = (
        (
            *(row[name] for name in ("organisation", "pes", "cells")),
            1e-6 * row["um_per_sink"],
            row["clock_factor"],
            *(
                value
                for names in (("area_mm2",), ("path_s",), ("switching_j", "clock_j"))
                for mapped, placed in [_mapped_and_placed(row, names)]
                for value in (mapped, placed / mapped)
            ),
        )
        for row in load_table("placement_cmos65.csv").rows
    )
    return Table("", columns, rows).markdown().replace("\N{NARROW NO-BREAK SPACE}", " ")


def placed(run: Mapping[str, Any]) -> Iterator[str]:
    """What the benchmarks placed, against its size: by which power of the cells time and wire grow, and the
    figures."""
    for group, powers in run["exponents"].items():
        least, most = (count(powers[name]) for name in ("least_cells", "most_cells"))
        yield (
            f"{group}, {least} to {most} cells: time grows as the\n"
            f"power {powers['minimum_s']:.2f} of the cells, wire as the power {powers['wire_m']:.2f}."
        )
        columns = {"netlist": "", "cells": "count", "time": "s", "wire": "m"}
        columns |= {"time a cell": "s", "wire a cell": "m"}
        figures = [
            (row["case"], row["cells"], row["minimum_s"], row["wire_m"])
            for row in run["figures"]
            if row["group"] == group
        ]
        cells = [(*row, row[2] / row[1], row[3] / row[1]) for row in figures]
        yield Table("", columns, cells).markdown()


def _mapped_and_placed(row: Mapping[str, Any], names: Iterable[str]) -> tuple[float, float]:
    """Some figures of a design together, as it was mapped and as it was placed."""
    mapped, placed = (sum(float(row[f"{state}_{name}"]) for name in names) for state in ("mapped", "placed"))
    return mapped, placed


def placing_errors() -> str:
    """How far the law of placing is from placed designs that it does not know, beside no law at all."""
    rows = load_table("placement_cmos65.csv").rows
    figures = {
        "area_mm2": ("area", ("area_mm2",)),
        "energy_j": ("energy of the logic", ("switching_j", "clock_j")),
        "critical_path_s": ("longest path", ("path_s",)),
    }
    errors, shown = placing_law().errors, []
    for metric, (label, names) in figures.items():
        pairs = [_mapped_and_placed(row, names) for row in rows]
        without = [abs(mapped / placed - 1) for mapped, placed in pairs]
        shown.append((label, sum(without) / len(without), max(without), *errors[metric]))
    columns = {
        "": "",
        "mapped, mean error": "share 1",
        "worst": "share 1",
        "with the law, mean error": "share 1",
        "worst ": "share 1",
    }
    return Table("", columns, shown).markdown().replace("\N{NARROW NO-BREAK SPACE}", " ")
