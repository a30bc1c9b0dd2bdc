"""The shapes that a region of blocks and cells could have, in whole sites and rows.

A region holds one block and the cells around it, or two regions, side by side or one above the other
(L. Stockmeyer, Information and Control 57, 1983).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from archsim.layout.placer.problem import Core, Floats, Ints, PlacementProblem

_SHAPES = 24
"""Shapes that are kept of a region, and widths that are tried of a leaf."""


@dataclass(frozen=True, eq=False)
class Region:
    """Shapes (shapes, 2) in sites and rows, none smaller than another both ways. A leaf has a `block`, and of
    each shape whether it is turned; else two regions, side by side or one above the other (`is_wide` says
    which, by shape), and the shape that each of them has."""

    shapes: Ints
    choice: Ints
    block: int = -1
    parts: tuple[Region, Region] | None = None


def boxes(problem: PlacementProblem) -> Ints:
    """Width in sites and height in rows of each block with its halo (blocks, 2), as drawn."""
    sizes = np.stack([problem.block_width_um, problem.block_height_um], axis=1) + 2 * problem.halo_um
    return _whole(sizes / [problem.site_width_um, problem.row_height_um])


def turned_boxes(problem: PlacementProblem) -> Ints:
    """The same of blocks turned by a quarter."""
    sizes = np.stack([problem.block_height_um, problem.block_width_um], axis=1) + 2 * problem.halo_um
    return _whole(sizes / [problem.site_width_um, problem.row_height_um])


def _whole(sizes: Floats) -> Ints:
    return np.ceil(sizes - 1e-6).astype(np.int64)


def leaf(problem: PlacementProblem, block: int, sites: float) -> Region:
    """The region of one block and cells that take so many sites."""
    shapes, choice = [], []
    for is_turned, sizes in ((False, boxes(problem)), (True, turned_boxes(problem))):
        if is_turned and not problem.block_turns[block]:
            continue
        width, height = sizes[block].tolist()
        for longer in np.geomspace(1.0, 4.0, _SHAPES // 2):
            tall, wide = math.ceil(height * longer), math.ceil(width * longer)
            whole = width * height + sites
            shapes += [
                (max(width, math.ceil(whole / tall)), tall),
                (wide, max(height, math.ceil(whole / wide))),
            ]
            choice += [is_turned, is_turned]
    kept = _front(np.array(shapes))
    return Region(np.array(shapes)[kept], np.array(choice, np.int64)[kept], block)


def joined(low: Region, high: Region) -> Region:
    """Two regions, `low` to the left of the other or below it."""
    one, other = (part.ravel() for part in np.indices((len(low.shapes), len(high.shapes))))
    a, b = low.shapes[one], high.shapes[other]
    wide = np.stack([a[:, 0] + b[:, 0], np.maximum(a[:, 1], b[:, 1])], axis=1)
    tall = np.stack([np.maximum(a[:, 0], b[:, 0]), a[:, 1] + b[:, 1]], axis=1)
    shapes = np.concatenate([wide, tall])
    is_wide = np.repeat([1, 0], len(one))
    choice = np.stack([np.tile(one, 2), np.tile(other, 2), is_wide], axis=1)
    kept = _front(shapes)
    return Region(shapes[kept], choice[kept], parts=(low, high))


def _front(shapes: Ints) -> Ints:
    """The places of shapes than which none is smaller both ways, at most `_SHAPES` of them, over the whole
    range of widths."""
    order = np.lexsort((shapes[:, 1], shapes[:, 0]))
    lowest = np.minimum.accumulate(shapes[order, 1])
    front: Ints = order[np.append(True, lowest[1:] < lowest[:-1])]
    if len(front) <= _SHAPES:
        return front
    spaced: Ints = front[np.round(np.linspace(0, len(front) - 1, _SHAPES)).astype(np.int64)]
    return spaced


def laid(problem: PlacementProblem, root: Region, place: int, core: Core) -> tuple[Floats, Floats, Ints]:
    """Lower left corners (um) of all blocks, and whether they are turned."""
    x, y, is_turned = np.zeros(problem.blocks), np.zeros(problem.blocks), np.zeros(problem.blocks, np.int64)
    sizes = boxes(problem), turned_boxes(problem)
    work = [(root, place, 0, 0, core.sites, core.rows)]
    while work:
        region, shape, left, low, sites, rows = work.pop()
        if region.parts is None:
            block = region.block
            is_turned[block] = region.choice[shape]
            width, height = sizes[region.choice[shape]][block].tolist()
            # To the outside of the core, so that what is left over lies together inside.
            at_x = left if 2 * left + sites <= core.sites else left + sites - width
            at_y = low if 2 * low + rows <= core.rows else low + rows - height
            x[block] = at_x * problem.site_width_um + problem.halo_um
            y[block] = at_y * problem.row_height_um + problem.halo_um
            continue
        one, other, is_wide = region.choice[shape].tolist()
        a, b = region.parts
        if is_wide:
            need = a.shapes[one, 0], b.shapes[other, 0]
            first = int(need[0] + (sites - sum(need)) * need[0] // sum(need))
            work.append((a, one, left, low, first, rows))
            work.append((b, other, left + first, low, sites - first, rows))
        else:
            need = a.shapes[one, 1], b.shapes[other, 1]
            first = int(need[0] + (rows - sum(need)) * need[0] // sum(need))
            work.append((a, one, left, low, sites, first))
            work.append((b, other, left, low + first, sites, rows - first))
    return x, y, is_turned
