"""The core and the blocks in it, before any cell: a slicing floorplan cut where a rough placement wants them.

Cells and blocks are placed roughly together, blocks as points of their area. Regions are then cut in two, by
the places of their blocks, until each holds one block and the cells around it; from the leaves up every
region gets the shapes that it could have (L. Stockmeyer, Information and Control 57, 1983), in whole sites
and rows, and the best shape of the whole decides all others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from archsim.layout.placement import pin_offsets
from archsim.layout.ports import slots
from archsim.layout.problem import (
    Blocks,
    Core,
    Floats,
    Ints,
    LayoutError,
    PlacementProblem,
    turned_sizes,
)
from archsim.layout.rough import Springy, axes, roughly
from archsim.layout.rows import Rows
from archsim.layout.spreading import bins_of

_ROUNDS = 20
_SHAPES = 24
"""Shapes that are kept of a region, and widths that are tried of a leaf."""
_BESIDE = (1.0, 0.75, 0.5, 0.25, 0.0)
"""Shares of the cells that get an area of their own; the others go where blocks leave something over."""
_SLENDER = 0.25
"""A core twice as long as wide has to be 2 ^ 0.25 times smaller to be taken."""


@dataclass(frozen=True, eq=False)
class _Region:
    """Shapes (shapes, 2) in sites and rows, none smaller than another both ways. A leaf has a `block`, and of
    each shape whether it is turned; else two regions, side by side or one above the other (`is_wide` says
    which, by shape), and the shape that each of them has."""

    shapes: Ints
    choice: Ints
    block: int = -1
    parts: tuple[_Region, _Region] | None = None


def floorplan(problem: PlacementProblem, *, seed: int = 1) -> tuple[Core, Blocks]:
    """The core, as given or made, and the blocks in it.

    Raises LayoutError where the blocks do not fit into the core.
    """
    if not problem.blocks:
        nothing = np.zeros(0)
        return problem.core or _square(problem), Blocks(
            x_um=nothing, y_um=nothing, orientation=np.zeros(0, np.int64)
        )
    if problem.fixed_blocks is not None and problem.core is not None:
        return problem.core, problem.fixed_blocks
    centre = _wanted(problem, seed)
    made = []
    for beside in _BESIDE:
        root = _sliced(problem, np.arange(problem.blocks), np.arange(problem.cells), centre, beside)
        made += _fitting(problem, root)
    if not made:
        raise _unfit(problem)
    _, core, root, place = min(made, key=lambda one: one[0])
    x, y, is_turned = _laid(problem, root, place, core)
    return core, _oriented(problem, centre, core, x, y, is_turned)


def _square(problem: PlacementProblem) -> Core:
    """A square core for cells alone."""
    sites = problem.cell_sites.sum() / problem.utilisation
    rows = max(1, round(math.sqrt(sites * problem.site_width_um / problem.row_height_um)))
    across = max(math.ceil(sites / rows), int(problem.cell_sites.max(initial=1)))
    return Core(rows=rows, sites=across)


def _boxes(problem: PlacementProblem) -> Ints:
    """Width in sites and height in rows of each block with its halo (blocks, 2), as drawn."""
    sizes = np.stack([problem.block_width_um, problem.block_height_um], axis=1) + 2 * problem.halo_um
    return _whole(sizes / [problem.site_width_um, problem.row_height_um])


def _turned_boxes(problem: PlacementProblem) -> Ints:
    """The same of blocks turned by a quarter."""
    sizes = np.stack([problem.block_height_um, problem.block_width_um], axis=1) + 2 * problem.halo_um
    return _whole(sizes / [problem.site_width_um, problem.row_height_um])


def _whole(sizes: Floats) -> Ints:
    return np.ceil(sizes - 1e-6).astype(np.int64)


def _wanted(problem: PlacementProblem, seed: int) -> Floats:
    """Where all objects would be (objects, 2), as shares of the core, if blocks could lie anywhere."""
    area = np.concatenate(
        [
            problem.cell_sites * problem.site_um2 / problem.utilisation,
            _boxes(problem).prod(axis=1) * problem.site_um2,
        ]
    )
    rows = max(1, round(math.sqrt(area.sum()) / problem.row_height_um))
    core = Core(rows=rows, sites=math.ceil(area.sum() / (rows * problem.site_um2)))
    size = np.array([core.sites * problem.site_width_um, core.rows * problem.row_height_um])
    every = np.arange(core.rows + 1)
    empty = Rows(core, every, np.zeros(core.rows, np.int64), np.full(core.rows, core.sites))
    centre = np.concatenate([np.zeros((len(area), 2)), slots(problem.ports, *size.tolist())])
    drawn = pin_offsets(problem, np.zeros(problem.objects, np.int64))
    given = Springy(*axes(problem, drawn), area, bins_of(empty, problem.site_width_um, problem.row_height_um))
    shares: Floats = roughly(given, centre, seed=seed, rounds=_ROUNDS) / size
    return shares


def _sliced(problem: PlacementProblem, blocks: Ints, cells: Ints, centre: Floats, beside: float) -> _Region:
    """The region of some blocks and cells, which a share `beside` of the cells takes its own area in."""
    if len(blocks) == 1:
        sites = beside * problem.cell_sites[cells].sum() / problem.utilisation
        return _leaf(problem, int(blocks[0]), sites)
    places = centre[problem.cells + blocks]
    axis = 0 if np.ptp(places[:, 0]) >= np.ptp(places[:, 1]) else 1
    order = np.argsort(places[:, axis], kind="stable")
    blocks, along = blocks[order], places[order, axis]
    area = (problem.block_width_um * problem.block_height_um)[blocks].cumsum()
    cut = int(np.argmin(np.abs(area[:-1] - area[-1] / 2))) + 1
    is_low = centre[cells, axis] < 0.5 * (along[cut - 1] + along[cut])
    low = _sliced(problem, blocks[:cut], cells[is_low], centre, beside)
    high = _sliced(problem, blocks[cut:], cells[~is_low], centre, beside)
    return _joined(low, high, axis)


def _leaf(problem: PlacementProblem, block: int, sites: float) -> _Region:
    shapes, choice = [], []
    for is_turned, boxes in ((False, _boxes(problem)), (True, _turned_boxes(problem))):
        if is_turned and not problem.block_turns[block]:
            continue
        width, height = boxes[block].tolist()
        for longer in np.geomspace(1.0, 4.0, _SHAPES // 2):
            tall, wide = math.ceil(height * longer), math.ceil(width * longer)
            whole = width * height + sites
            shapes += [
                (max(width, math.ceil(whole / tall)), tall),
                (wide, max(height, math.ceil(whole / wide))),
            ]
            choice += [is_turned, is_turned]
    kept = _front(np.array(shapes))
    return _Region(np.array(shapes)[kept], np.array(choice, np.int64)[kept], block)


def _joined(low: _Region, high: _Region, axis: int) -> _Region:
    """Two regions, `low` to the left of the other or below it, whichever it was cut along; across that where
    it gives other shapes."""
    one, other = (part.ravel() for part in np.indices((len(low.shapes), len(high.shapes))))
    a, b = low.shapes[one], high.shapes[other]
    wide = np.stack([a[:, 0] + b[:, 0], np.maximum(a[:, 1], b[:, 1])], axis=1)
    tall = np.stack([np.maximum(a[:, 0], b[:, 0]), a[:, 1] + b[:, 1]], axis=1)
    shapes = np.concatenate([wide, tall])
    is_wide = np.repeat([1, 0], len(one))
    choice = np.stack([np.tile(one, 2), np.tile(other, 2), is_wide], axis=1)
    kept = _front(shapes)
    return _Region(shapes[kept], choice[kept], parts=(low, high))


def _front(shapes: Ints) -> Ints:
    """The places of shapes than which none is smaller both ways, at most `_SHAPES` of them, over the whole
    range of widths."""
    order = np.lexsort((shapes[:, 1], shapes[:, 0]))
    lowest = np.minimum.accumulate(shapes[order, 1])
    front = order[np.append(True, lowest[1:] < lowest[:-1])]
    if len(front) <= _SHAPES:
        return front
    return front[np.round(np.linspace(0, len(front) - 1, _SHAPES)).astype(np.int64)]


def _fitting(problem: PlacementProblem, root: _Region) -> list[tuple[float, Core, _Region, int]]:
    """What can be made of the whole: how good it is (less is better), its core, and the shape."""
    taken = int(_boxes(problem).prod(axis=1).sum())
    needed = math.ceil(problem.cell_sites.sum() / problem.utilisation)
    made = []
    for place, (sites, rows) in enumerate(root.shapes.tolist()):
        if problem.core is not None:
            core = problem.core
            if sites > core.sites or rows > core.rows:
                continue
        else:
            sites = max(sites, int(problem.cell_sites.max(initial=1)))
            core = Core(rows=max(rows, math.ceil((needed + taken) / sites)), sites=sites)
        width, height = core.sites * problem.site_width_um, core.rows * problem.row_height_um
        score = sites * rows if problem.core else width * height
        made.append((score * max(width / height, height / width) ** _SLENDER, core, root, place))
    return made


def _unfit(problem: PlacementProblem) -> LayoutError:
    assert problem.core is not None
    boxes, turned = _boxes(problem), _turned_boxes(problem)
    most = np.array([problem.core.sites, problem.core.rows])
    fits = (boxes <= most).all(axis=1) | (problem.block_turns & (turned <= most).all(axis=1))
    what = f"core is {problem.core.rows} rows of {problem.core.sites} sites, allowed is one "
    if not fits.all():
        sites, rows = boxes[int(np.argmin(fits))].tolist()
        return LayoutError(f"{what}that holds a block of {rows} rows by {sites} sites with its halo")
    return LayoutError(f"{what}that holds the {problem.blocks} blocks side by side with their halos")


def _laid(problem: PlacementProblem, root: _Region, place: int, core: Core) -> tuple[Floats, Floats, Ints]:
    """Lower left corners (um) of all blocks, and whether they are turned."""
    x, y, is_turned = np.zeros(problem.blocks), np.zeros(problem.blocks), np.zeros(problem.blocks, np.int64)
    boxes = _boxes(problem), _turned_boxes(problem)
    work = [(root, place, 0, 0, core.sites, core.rows)]
    while work:
        region, shape, left, low, sites, rows = work.pop()
        if region.parts is None:
            block = region.block
            is_turned[block] = region.choice[shape]
            width, height = boxes[region.choice[shape]][block].tolist()
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


def _oriented(
    problem: PlacementProblem, wanted: Floats, core: Core, x: Floats, y: Floats, is_turned: Ints
) -> Blocks:
    """The blocks, each turned or mirrored so that its pins are nearest to the middles of their nets."""
    size = np.array([core.sites * problem.site_width_um, core.rows * problem.row_height_um])
    width, height = turned_sizes(problem.block_width_um, problem.block_height_um, is_turned)
    centre = wanted * size
    pins = np.maximum(np.diff(problem.net_start), 1)
    middle = np.stack(
        [np.bincount(problem.pin_net, centre[problem.pin_object, k], problem.nets) / pins for k in (0, 1)],
        axis=1,
    )
    block = problem.pin_object - problem.cells
    mine = np.flatnonzero((block >= 0) & (block < problem.blocks) & ~problem.is_clock[problem.pin_net])
    here = np.stack([x + width / 2, y + height / 2], axis=1)
    far = np.zeros((4, problem.blocks))
    for way in range(4):
        turned = np.zeros(problem.objects, np.int64)
        turned[problem.cells : problem.cells + problem.blocks] = is_turned + 2 * way
        at = here[block[mine]] + pin_offsets(problem, turned)[mine]
        distance = np.abs(at - middle[problem.pin_net[mine]]).sum(axis=1)
        far[way] = np.bincount(block[mine], distance, problem.blocks)
    return Blocks(x_um=x, y_um=y, orientation=is_turned + 2 * far.argmin(axis=0))
