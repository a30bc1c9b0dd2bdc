"""How far the figures of standard cells lie from published ones, computed anew.

`python -m reports.documentation.evidence FOLDER` writes the rows that follow from the models into the
table of the technology, after the models have changed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import click

from archsim.technology import Cmos65
from archsim.technology.evidence import EVIDENCE_TABLE
from archsim.technology.quantity import load_table
from workloads.files import write_text

Row = tuple[str, str, str]
"""Part, metric and what is compared."""

REAL_CELLS, PUBLISHED_ENERGIES = "ihp-sg13g2", "Horowitz 2014"
"""What arithmetic is compared with: the nearest real library, and published operations."""

NAND2_UM2 = 1.12 * (65 / 55) ** 2
"""The 55 nm NAND2 of ICS55 H7C, scaled to 65 nm."""


def computed() -> dict[Row, float]:
    """The real figure as a multiple of ours, for every row that follows from the models as they are."""
    return {row: real / ours for row, real, ours in (*_of_cells(), *_of_arithmetic(), *_of_eie())}


def _of_cells() -> Iterator[tuple[Row, float, float]]:
    """A single cell at 65 nm."""
    yield ("logic", "area_mm2", "NAND2"), NAND2_UM2, Cmos65().library.gate_equivalent_um2


def _of_arithmetic() -> Iterator[tuple[Row, float, float]]:
    """The same circuits on real cells, and published ones, all at 65 nm: what an operation switches, glitches
    among it, and the clock of registers."""
    from archsim.calibration.real_cells import comparison

    compared = comparison()
    ours = {one.circuit: one for one in compared if one.library == "cmos65"}
    for other in compared:
        if other.library in (REAL_CELLS, PUBLISHED_ENERGIES):
            mine, named = ours[other.circuit], f"{other.circuit}, {other.library}"
            if other.glitching_energy_j and mine.glitching_energy_j:
                yield ("compute", "energy_j", named), other.glitching_energy_j, mine.glitching_energy_j
            if other.clock_energy_j and mine.clock_energy_j:
                yield ("logic", "energy_j", f"clock of {named}"), other.clock_energy_j, mine.clock_energy_j


def _of_eie() -> Iterator[tuple[Row, float, float]]:
    """The logic of an element of EIE at 45 nm: what its study predicts, and what is published."""
    from reports.studies.eie_isca2016.measure import Cost, measure
    from reports.write_up.claims import published

    content = published("reports.studies.eie_isca2016")
    measured = measure(content)
    ours, real = measured.by_type(), {name: Cost(**said) for name, said in content["by_type"].items()}
    types, place = ("register", "combinational"), "registers and gates of an EIE element"
    mine, theirs = (Cost.together(side[name] for name in types) for side in (ours, real))
    yield ("logic", "energy_j", place), theirs.power_w, mine.power_w
    yield ("logic", "area_mm2", place), theirs.area_mm2, mine.area_mm2
    path_s = content["chip"]["longest path through logic"]["published"]["element"]
    place = "longest path through the logic of an EIE element"
    yield ("logic", "critical_path_s", place), path_s, measured.element.logic_path_s


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(folder: Path) -> None:
    """Write the table of comparisons anew into FOLDER, which is archsim/technology/data."""
    table, now = load_table(EVIDENCE_TABLE), computed()
    file = io.StringIO()
    writer = csv.DictWriter(file, list(table.columns), lineterminator="\n")
    writer.writeheader()
    for row in table.rows:
        ratio = now.get((row["part"], row["metric"], row["compared"]), row["real_over_model"])
        writer.writerow({**row, "real_over_model": float(f"{ratio:.3g}")})
    write_text(folder / EVIDENCE_TABLE, file.getvalue())


if __name__ == "__main__":
    main()
