"""Outlines and pins of cells and macros, as a placer needs them: read from LEF, or drawn from areas."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from archsim.technology.lef import Lef, LefError, Outline
from archsim.technology.liberty.cell_library import CellLibrary

_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Abstracts:
    """The rows and sites of a library, the outlines of its cells, and those of macros that have one."""

    row_height_um: float
    site_width_um: float
    cells: Mapping[str, Outline] = field(repr=False)
    macros: Mapping[str, Outline] = field(default_factory=dict, repr=False)

    def sites(self, name: str) -> int:
        """How many sites wide a cell is."""
        return max(1, math.ceil(self.cells[name].width_um / self.site_width_um - _ROUNDING))


def drawn(library: CellLibrary, row_height_um: float, site_width_um: float) -> Abstracts:
    """Abstracts of a library that states areas only: cells one row high and as many whole sites wide as their
    area takes, with their pins evenly along the middle."""
    site_um2, cells = row_height_um * site_width_um, {}
    for name, cell in library.cells.items():
        width_um = max(1, math.ceil(cell.area_um2 / site_um2 - _ROUNDING)) * site_width_um
        pins = (*cell.input_capacitance_f, *cell.functions)
        places = [(width_um * (place + 0.5) / len(pins), row_height_um / 2) for place in range(len(pins))]
        cells[name] = Outline(
            width_um=width_um, height_um=row_height_um, pins=dict(zip(pins, places, strict=True))
        )
    return Abstracts(row_height_um=row_height_um, site_width_um=site_width_um, cells=cells)


def abstracts_of(lef: Lef, library: CellLibrary) -> Abstracts:
    """The abstracts of a library whose outlines are in LEF files, on the site that most of its cells have;
    all other outlines are macros.

    Raises LefError where no cell of the library has a site with a size.
    """
    own = {name: outline for name, outline in lef.outlines.items() if name in library.cells}
    used = Counter(outline.site for outline in own.values() if outline.site in lef.sites)
    if not used:
        raise LefError(
            f"lef gives the cells of library {library.name} no SITE with a SIZE, allowed are files with the "
            "outlines of cells and their site"
        )
    ((site, _),) = used.most_common(1)
    width_um, height_um = lef.sites[site]
    return Abstracts(
        row_height_um=height_um,
        site_width_um=width_um,
        cells={name: outline for name, outline in own.items() if outline.site == site},
        macros={name: outline for name, outline in lef.outlines.items() if name not in own},
    )
