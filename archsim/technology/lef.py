"""The outlines of cells and macros in LEF files, held beside the areas that other files state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from archsim.technology.liberty.text import liberty_text
from workloads.refusal import Refusal

_MACRO = re.compile(r"^\s*MACRO\s+(\S+)", re.MULTILINE)
_SIZE = re.compile(r"^\s*SIZE\s+(\d+(?:\.\d*)?)\s+BY\s+(\d+(?:\.\d*)?)\s*;", re.MULTILINE)
_COMMENT = re.compile(r"#[^\n]*")
TOLERANCE = 0.01
"""How far the area of an outline may lie from the stated one: both are rounded, and by no more than this."""


class LefError(Refusal):
    """A LEF file states no outline, or another one than the rest of a technology."""


def outlines_um(paths: Iterable[Path]) -> dict[str, tuple[float, float]]:
    """Width and height (um) by the name of the cell, of all files, plain or gzip.

    Raises LefError for a file without any, and for two different outlines of one cell.
    """
    outlines: dict[str, tuple[float, float]] = {}
    for path in paths:
        text = _COMMENT.sub("", liberty_text(path))
        sized = 0
        starts = list(_MACRO.finditer(text))
        ends = [*(start.start() for start in starts[1:]), len(text)]
        for start, end in zip(starts, ends, strict=False):
            size = _SIZE.search(text, start.end(), end)
            if size is None:
                continue
            sized += 1
            outline = float(size[1]), float(size[2])
            if outlines.setdefault(start[1], outline) != outline:
                raise LefError(
                    f"lef is {str(path)!r}, whose {start[1]} is {outline[0]:g} by {outline[1]:g} um after "
                    f"{outlines[start[1]][0]:g} by {outlines[start[1]][1]:g} um, allowed is one of a cell"
                )
        if not sized:
            raise LefError(f"lef is {str(path)!r}, which gives no MACRO a SIZE, allowed are files that do")
    return outlines


def check_areas(outlines: Mapping[str, tuple[float, float]], areas_um2: Mapping[str, float]) -> None:
    """Raises LefError where an outline is not as large as the area that is stated of its cell."""
    for name, (width_um, height_um) in outlines.items():
        area_um2 = areas_um2.get(name)
        if area_um2 is not None and abs(width_um * height_um / area_um2 - 1) > TOLERANCE:
            raise LefError(
                f"lef says that {name} is {width_um:g} by {height_um:g} um, {width_um * height_um:.6g} um2, "
                f"where its area is {area_um2:g} um2, allowed are files of one library"
            )
