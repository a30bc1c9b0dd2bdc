"""A block diagram as the text of an SVG, for light and dark ground, with a description in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from reports.diagram.layers import Line, layered
from reports.diagram.routing import BOX_HEIGHT, Point, routed
from rtl.blocks import INPUTS, OUTPUTS, Block, BlockDiagram, Link

_MARGIN, _CORNER, _HEAD = 12.0, 5.0, 6.5
_LETTER = 7.2
"""Width of a letter of a name."""

COLOURS = ("#0b7dc4", "#d55e00", "#0a9471", "#b0599a", "#8f7512", "#5d7f9e", "#a03a5d", "#4c8a2a")
"""Of lines, by the block that drives most of their bits; seen on white and on dark ground."""

_STYLE = """
.diagram text{font:12.5px ui-sans-serif,system-ui,sans-serif;fill:var(--d-ink);text-anchor:middle}
.diagram text.count{font-size:10.5px;fill:var(--d-soft)}
.diagram text.bits{font-size:9.5px;fill:var(--d-soft);text-anchor:start}
.diagram rect{fill:var(--d-box);stroke:var(--d-ink);stroke-width:1.2}
.diagram .memory rect{fill:var(--d-memory)}
.diagram .pins rect{fill:none;stroke-dasharray:4 3}
.diagram .link path{fill:none;stroke:currentColor;stroke-width:1.5}
.diagram .link path.under{stroke:var(--d-ground);stroke-width:5}
.diagram .link polygon{fill:currentColor}
.diagram .link:hover path:not(.under){stroke-width:3.5}
"""
_LIGHT = "--d-ink:#1d2733;--d-soft:#4b5866;--d-box:#f1f4f8;--d-memory:#fdf0cd;--d-ground:#fff"
_DARK = "--d-ink:#e7ebf0;--d-soft:#b3bdc9;--d-box:#2c3542;--d-memory:#4d4226;--d-ground:#1e2129"
_SCHEMES = (
    f".diagram{{{_LIGHT}}}@media(prefers-color-scheme:dark){{.diagram{{{_DARK}}}}}"
    f"body[data-theme=light] .diagram{{{_LIGHT}}}body[data-theme=dark] .diagram{{{_DARK}}}"
)
"""A drawing by itself follows the system, one in a page of the documentation the page."""


def svg(diagram: BlockDiagram, title: str, *, name: str) -> str:
    """The drawing. `name` tells what it refers to inside itself from that of other drawings of a page."""
    boxes = [_pins(diagram, INPUTS), *map(_block, diagram.blocks), _pins(diagram, OUTPUTS)]
    kinds = [kind for kind, *_ in boxes]
    labels = {kind: (first, second) for kind, first, second, _ in boxes}
    layers = layered(kinds, {(link.source, link.target): 1 for link in diagram.links}, INPUTS, OUTPUTS)
    plan = routed(layers, lambda kind: 24 + _LETTER * max(map(len, labels[kind])), _MARGIN)
    hues = {kind: COLOURS[number % len(COLOURS)] for number, kind in enumerate(kinds)}
    between = _between(diagram.links)
    drawn = [_link(plan.lines[line], line, between[frozenset(line)], hues) for line in layers.ways]
    for row in layers.rows:
        for place in row:
            if not place.passes:
                kind, first, second, group = boxes[kinds.index(place.name)]
                width, top = plan.widths[place], plan.tops[place.layer]
                drawn.append(_box(kind, group, (first, second), (plan.x[place] - width / 2, top), width))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {plan.width:.0f} {plan.height:.0f}" '
            f'width="{plan.width:.0f}" height="{plan.height:.0f}" class="diagram" role="img" '
            f'aria-labelledby="{name}-title {name}-text">',
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-text">{escape(described(diagram))}</desc>',
            f"<style>{_SCHEMES}{_STYLE}</style>",
            *drawn,
            "</svg>\n",
        ]
    )


def described(diagram: BlockDiagram) -> str:
    """The diagram in words: every block, and every link."""
    blocks, links = map(shape_of, diagram.blocks), map(link_in_words, diagram.links)
    return f"Blocks: {'; '.join(blocks)}. Links: {'; '.join(links)}."


def shape_of(block: Block) -> str:
    """A block in words: what it is, how many there are, and what one holds."""
    _, first, second, _ = _block(block)
    return f"{first}, {second}"


def link_in_words(link: Link) -> str:
    """A link with its ends, its wires and their names."""
    names = f" ({', '.join(link.names)})" if link.names else ""
    wires = "wire" if link.wires == 1 else "wires"
    bits = "bit" if link.bits == 1 else "bits"
    ends = f"{name_of(link.source)} to {name_of(link.target)}"
    return f"{ends}: {link.wires:,} {wires}, {link.bits:,} {bits}{names}"


def name_of(kind: str) -> str:
    """The name of an end of a link."""
    return {INPUTS: "pins", OUTPUTS: "pins"}.get(kind, kind.replace("_", " "))


def _block(block: Block) -> tuple[str, str, str, str]:
    """The kind of a block, two lines about it, and how it is drawn."""
    many = f" × {block.instances}" if block.instances > 1 else ""
    if block.is_memory:
        return block.kind, f"{block.name}{many}", f"{block.words:,} × {block.word_bits} bits", "memory"
    kept = f"{block.register_bits:,} bits of register" if block.register_bits else "no register"
    return block.kind, f"{block.name}{many}", kept, "logic"


def _pins(diagram: BlockDiagram, which: str) -> tuple[str, str, str, str]:
    names = diagram.inputs if which == INPUTS else diagram.outputs
    return which, f"pins: {which}", ", ".join(names), "pins"


def _between(links: Iterable[Link]) -> dict[frozenset[str], list[Link]]:
    joined: dict[frozenset[str], list[Link]] = {}
    for link in links:
        joined.setdefault(frozenset((link.source, link.target)), []).append(link)
    return joined


def _box(kind: str, group: str, lines: tuple[str, str], corner: Point, width: float) -> str:
    x, y = corner
    middle = x + width / 2
    return (
        f'<g class="{group}" data-kind="{kind}"><rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
        f'height="{BOX_HEIGHT:.0f}" rx="5"/>'
        f'<text x="{middle:.1f}" y="{y + 20:.1f}">{escape(lines[0])}</text>'
        f'<text class="count" x="{middle:.1f}" y="{y + 36:.1f}">{escape(lines[1])}</text></g>'
    )


def _link(corners: Sequence[Point], line: Line, links: Sequence[Link], hues: dict[str, str]) -> str:
    """One line for what leads from a block to another, and back, with a head and the bits at each end that is
    led to."""
    most = max(links, key=lambda link: link.bits)
    title = "\n".join(map(link_in_words, links))
    path = _rounded(corners)
    heads = []
    for link in links:
        down = link.target == line[1]
        x, y = corners[-1] if down else corners[0]
        back = -_HEAD if down else _HEAD
        heads.append(
            f'<polygon data-link="{link.source} {link.target}" points="{x:.1f},{y:.1f} '
            f'{x - 3.6:.1f},{y + back:.1f} {x + 3.6:.1f},{y + back:.1f}"/>'
            f'<text class="bits" x="{x + 4.5:.1f}" y="{y + (-8 if down else 15):.1f}">{link.bits:,}</text>'
        )
    return (
        f'<g class="link" style="color:{hues[most.source]}"><title>{escape(title)}</title>'
        f'<path class="under" d="{path}"/><path d="{path}"/>{"".join(heads)}</g>'
    )


def _rounded(corners: Sequence[Point]) -> str:
    """A path with right angles whose corners are rounded."""
    points = [corners[0]]
    for point in corners[1:]:
        if math.dist(point, points[-1]) > 0.01:
            points.append(point)
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        into, out = (_towards(at, end) for end in (before, after))
        parts.append(f"L{into[0]:.1f} {into[1]:.1f}Q{at[0]:.1f} {at[1]:.1f} {out[0]:.1f} {out[1]:.1f}")
    parts.append(f"L{points[-1][0]:.1f} {points[-1][1]:.1f}")
    return "".join(parts)


def _towards(point: Point, end: Point) -> Point:
    share = min(_CORNER, math.dist(point, end) / 2) / math.dist(point, end)
    return point[0] + share * (end[0] - point[0]), point[1] + share * (end[1] - point[1])
