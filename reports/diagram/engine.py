"""The block diagram of the engine of a design point."""

from __future__ import annotations

from pathlib import Path

from archsim import DesignPoint
from reports.diagram.drawing import svg
from rtl.blocks import BlockDiagram, block_diagram
from workloads.files import OutputError, check_file, write_text


def diagram_of(design: DesignPoint) -> BlockDiagram:
    """The blocks of the hardware of a design point. Raises MappingError where its engine cannot run its
    network."""
    return block_diagram(design.mapping.build())


def drawing_of(design: DesignPoint, diagram: BlockDiagram) -> str:
    """The diagram as the text of an SVG, named after the engine."""
    mapping = design.mapping
    return svg(diagram, f"The {mapping.sizes.label} engine, {mapping.sizes.pes} PEs", name=design.engine.kind)


def save_diagram(design: DesignPoint, path: Path) -> BlockDiagram:
    """Writes the diagram, and gives it back. Raises OutputError for a file that is no SVG or cannot be
    written."""
    if path.suffix != ".svg":
        raise OutputError.of("out", str(path), "a file that ends in .svg")
    check_file(path)
    diagram = diagram_of(design)
    write_text(path, drawing_of(design, diagram))
    return diagram
