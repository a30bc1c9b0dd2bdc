"""What the documentation shows of every engine: what it says of itself, its diagram, its links in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from archsim import DesignPoint
from archsim.engine import Engine, engines
from archsim.engine.mapping import MappingError
from reports.diagram.drawing import name_of, shape_of
from reports.diagram.engine import diagram_of, drawing_of
from reports.tables import Table
from rtl.blocks import BlockDiagram, Link
from workloads import zoo_names

FOLDER = "diagrams"
"""Where the drawings lie, beside the pages."""
TECHNOLOGY, PES = "cmos65", 16


@dataclass(frozen=True)
class Shown:
    """An engine, or one organisation of it, on a network of the zoo that it runs."""

    title: str
    engine: type[Engine]
    design: DesignPoint
    diagram: BlockDiagram

    @property
    def file(self) -> str:
        return f"{self.title.replace(' ', '-')}.svg"

    @property
    def drawing(self) -> str:
        return drawing_of(self.design, self.diagram)

    @property
    def alternative(self) -> str:
        """The blocks in words, for who does not see the drawing."""
        blocks = "; ".join(map(shape_of, self.diagram.blocks))
        return f"Block diagram of the {self.title} engine: {blocks}"


@cache
def shown_engines() -> tuple[Shown, ...]:
    """Every registered engine in each of its organisations, as far as a network of the zoo runs on it."""
    return tuple(_shown())


def _shown() -> Iterator[Shown]:
    for kind in sorted(engines):
        variants = engines[kind].organisations()
        for variant, options in variants.items():
            design = _design(kind, options)
            if design is not None:
                title = kind if len(variants) == 1 else f"{kind} {variant}"
                yield Shown(title, engines[kind], design, diagram_of(design))


def _design(kind: str, options: Mapping[str, Any]) -> DesignPoint | None:
    """The engine with a network that runs on it: one of its own name, and a small one, where there is one."""
    engine = engines[kind](pes=PES, **options)
    for network in sorted(zoo_names(), key=lambda name: (kind not in name, "x40" not in name, name)):
        design = DesignPoint(network=network, engine=engine, technology=TECHNOLOGY)
        try:
            design.mapping  # noqa: B018  # laying it out is what may be refused
        except MappingError:
            continue
        return design
    return None


def drawings() -> dict[str, str]:
    """The text of every drawing by the name of its file."""
    return {shown.file: shown.drawing for shown in shown_engines()}


def engine_sections() -> str:
    """A section for each engine, in Markdown."""
    return "\n\n".join(map(_section, shown_engines()))


def _section(shown: Shown) -> str:
    links = Table(
        "",
        {"from": "", "to": "", "called": "", "wires": "count", "bits": "count"},
        (
            (name_of(link.source), name_of(link.target), _called(link), link.wires, link.bits)
            for link in shown.diagram.links
        ),
        words=3,
    )
    return "\n\n".join(
        [
            f"### {shown.title}",
            said_of(shown.engine.hardware.__module__),
            f"![{shown.alternative}]({FOLDER}/{shown.file})",
            f"`{shown.design.network}` on {PES} PEs. What runs between the blocks:",
            f'<details markdown="1"><summary>{len(shown.diagram.links)} links</summary>',
            links.markdown().replace("\N{NARROW NO-BREAK SPACE}", " "),
            "</details>",
        ]
    )


def _called(link: Link) -> str:
    return ", ".join(f"`{name}`" for name in link.names)


def said_of(module: str) -> str:
    """What a module says of itself, a paragraph a line."""
    said = sys.modules[module].__doc__ or ""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in said.strip().split("\n\n"))
