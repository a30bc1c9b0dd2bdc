"""The abstracts of a placed design as a LEF file: site, cells, memories, and layers for their pins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archsim.layout.from_netlist import Subject
from archsim.technology.lef import Outline

SITE = "core"
LAYERS = ("M1", "M2")
"""Layers that pins are drawn on: those of cells on the first, those of blocks and ports on the second."""
_PIN_OF_SITE = 0.25
"""Half the side of a pin over the width of a site."""


def lef_text(subject: Subject) -> str:
    """A LEF file of the cells and blocks that the design uses, as they were placed."""
    return "\n".join(_lines(subject)) + "\n"


def _lines(subject: Subject) -> Iterator[str]:
    abstracts = subject.abstracts
    pitch, half = abstracts.site_width_um, abstracts.site_width_um * _PIN_OF_SITE
    yield from ("VERSION 5.8 ;", 'BUSBITCHARS "[]" ;', 'DIVIDERCHAR "." ;')
    yield from ("UNITS", "  DATABASE MICRONS 1000 ;", "END UNITS")
    for layer, direction in zip(LAYERS, ("HORIZONTAL", "VERTICAL"), strict=True):
        yield from (f"LAYER {layer}", "  TYPE ROUTING ;", f"  DIRECTION {direction} ;")
        yield from (f"  PITCH {pitch:.4f} ;", f"  WIDTH {2 * half:.4f} ;", f"END {layer}")
    yield from (f"SITE {SITE}", "  CLASS CORE ;", "  SYMMETRY Y ;")
    yield from (f"  SIZE {pitch:.4f} BY {abstracts.row_height_um:.4f} ;", f"END {SITE}")
    for name in sorted(subject.netlist.count()):
        outputs = set(subject.outputs(name))
        yield from _macro(name, abstracts.cells[name], f"CORE ;\n  SITE {SITE}", LAYERS[0], half, outputs)
    drawn: dict[str, None] = {}
    for block in subject.blocks:
        if block.abstract in drawn:
            continue
        drawn[block.abstract] = None
        pins = {pin.name: (pin.x_um, pin.y_um) for pin in block.pins}
        outline = Outline(width_um=block.width_um, height_um=block.height_um, turns=block.turns, pins=pins)
        outputs = {pin.name for pin in block.pins if pin.drives}
        yield from _macro(block.abstract, outline, "BLOCK", LAYERS[1], half, outputs)
    yield "END LIBRARY"


def _macro(
    name: str, outline: Outline, kind: str, layer: str, half: float, outputs: set[str]
) -> Iterator[str]:
    yield from (f"MACRO {name}", f"  CLASS {kind} ;", "  ORIGIN 0 0 ;")
    yield f"  SIZE {outline.width_um:.4f} BY {outline.height_um:.4f} ;"
    yield f"  SYMMETRY X Y{' R90' if outline.turns else ''} ;"
    for pin, (x, y) in _inside(outline, half).items():
        yield from (f"  PIN {pin}", f"    DIRECTION {'OUTPUT' if pin in outputs else 'INPUT'} ;")
        yield from ("    USE SIGNAL ;", "    PORT", f"      LAYER {layer} ;")
        yield f"        RECT {x - half:.4f} {y - half:.4f} {x + half:.4f} {y + half:.4f} ;"
        yield from ("    END", f"  END {pin}")
    yield f"END {name}"


def _inside(outline: Outline, half: float) -> Mapping[str, tuple[float, float]]:
    """The pins, moved so far that none sticks out."""
    return {
        name: (
            min(max(x, half), outline.width_um - half),
            min(max(y, half), outline.height_um - half),
        )
        for name, (x, y) in outline.pins.items()
    }
