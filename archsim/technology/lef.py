"""Outlines, pins and sites in LEF files, for placement, and held beside the areas that other files state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archsim.technology.liberty.text import liberty_text
from workloads.refusal import Refusal

_NUMBER = r"(-?\d+(?:\.\d*)?)"
_PART = re.compile(r"^\s*(MACRO|SITE)\s+(\S+)\s*$", re.MULTILINE)
_SIZE = re.compile(rf"^\s*SIZE\s+{_NUMBER}\s+BY\s+{_NUMBER}\s*;", re.MULTILINE)
_ON_SITE = re.compile(r"^\s*SITE\s+(\S+)\s*;", re.MULTILINE)
_SYMMETRY = re.compile(r"^\s*SYMMETRY\s+([^;]*);", re.MULTILINE)
_ORIGIN = re.compile(rf"^\s*ORIGIN\s+{_NUMBER}\s+{_NUMBER}\s*;", re.MULTILINE)
_PIN = re.compile(r"^\s*PIN\s+(\S+)\s*$(.*?)^\s*END\s+\1\s*$", re.MULTILINE | re.DOTALL)
_USE = re.compile(r"^\s*USE\s+(\w+)", re.MULTILINE)
_RECT = re.compile(rf"\bRECT\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}\s*;")
COMMENT = re.compile(r"#[^\n]*")
_LAYER = re.compile(r"^\s*LAYER\s+\S+\s*$", re.MULTILINE)
_SUPPLIES = ("POWER", "GROUND")
TOLERANCE = 0.01
"""How far the area of an outline may lie from the stated one: both are rounded, and by no more than this."""


class LefError(Refusal):
    """A LEF file states no outline, or another one than the rest of a technology."""


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A cell or macro: its size, the site that its rows are made of (empty: none), whether it may be turned
    by a quarter, and the places of its pins, but for supplies, from the lower left corner."""

    width_um: float
    height_um: float
    site: str = ""
    turns: bool = False
    pins: Mapping[str, tuple[float, float]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Lef:
    """What LEF files say: outlines by the name of the cell, and width and height (um) of sites."""

    outlines: Mapping[str, Outline]
    sites: Mapping[str, tuple[float, float]]


def read_lef(paths: Iterable[Path]) -> Lef:
    """The cells and sites of all files, plain or gzip.

    Raises LefError for a file with neither, unless it describes layers, and for two different outlines of one
    cell.
    """
    outlines: dict[str, Outline] = {}
    sites: dict[str, tuple[float, float]] = {}
    for path in paths:
        text = COMMENT.sub("", liberty_text(path))
        starts = list(_PART.finditer(text))
        ends = [*(start.start() for start in starts[1:]), len(text)]
        sized = 0
        for start, end in zip(starts, ends, strict=False):
            part = text[start.end() : end]
            size = _SIZE.search(part)
            if size is None:
                continue
            sized += 1
            if start[1] == "SITE":
                sites[start[2]] = float(size[1]), float(size[2])
                continue
            outline = _outline(part, float(size[1]), float(size[2]))
            known = outlines.setdefault(start[2], outline)
            if (known.width_um, known.height_um) != (outline.width_um, outline.height_um):
                raise LefError(
                    f"lef is {str(path)!r}, whose {start[2]} is {outline.width_um:g} by "
                    f"{outline.height_um:g} um after {known.width_um:g} by {known.height_um:g} um, allowed "
                    "is one of a cell"
                )
        if not sized and not _LAYER.search(text):
            raise LefError(f"lef is {str(path)!r}, which gives no MACRO a SIZE, allowed are files that do")
    return Lef(outlines, sites)


def _outline(text: str, width_um: float, height_um: float) -> Outline:
    site, symmetry, origin = _ON_SITE.search(text), _SYMMETRY.search(text), _ORIGIN.search(text)
    right, up = (float(origin[1]), float(origin[2])) if origin else (0.0, 0.0)
    pins = {}
    for name, pin in _PIN.findall(text):
        use, rect = _USE.search(pin), _RECT.search(pin)
        if rect is not None and (use is None or use[1] not in _SUPPLIES):
            x0, y0, x1, y1 = map(float, rect.groups())
            pins[name.replace("<", "[").replace(">", "]")] = (x0 + x1) / 2 + right, (y0 + y1) / 2 + up
    return Outline(
        width_um=width_um,
        height_um=height_um,
        site=site[1] if site else "",
        turns="R90" in symmetry[1].split() if symmetry else False,
        pins=pins,
    )


def outlines_um(paths: Iterable[Path]) -> dict[str, tuple[float, float]]:
    """Width and height (um) by the name of the cell. Raises LefError as `read_lef` does."""
    outlines = read_lef(paths).outlines
    return {name: (outline.width_um, outline.height_um) for name, outline in outlines.items()}


def check_areas(outlines: Mapping[str, tuple[float, float]], areas_um2: Mapping[str, float]) -> None:
    """Raises LefError where an outline is not as large as the area that is stated of its cell."""
    for name, (width_um, height_um) in outlines.items():
        area_um2 = areas_um2.get(name)
        if area_um2 is not None and abs(width_um * height_um / area_um2 - 1) > TOLERANCE:
            raise LefError(
                f"lef says that {name} is {width_um:g} by {height_um:g} um, {width_um * height_um:.6g} um2, "
                f"where its area is {area_um2:g} um2, allowed are files of one library"
            )
