"""The core and the blocks in it, before any cell: a slicing floorplan cut where a rough placement wants them.

Cells and blocks are placed roughly together, blocks as points of their area. Regions are then cut in two, by
the places of their blocks, until each holds one block and the cells around it; from the leaves up every
region gets the shapes that it could have (L. Stockmeyer, Information and Control 57, 1983), in whole sites
and rows, and the best shape of the whole decides all others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from archsim.layout.placer.placement import pin_offsets
from archsim.layout.placer.ports import slots
from archsim.layout.placer.problem import (
    ORIENTATIONS,
    Blocks,
    Core,
    Floats,
    Ints,
    LayoutError,
    PlacementProblem,
    turned_sizes,
)
from archsim.layout.placer.rough import Springy, axes, roughly
from archsim.layout.placer.rows import Rows
from archsim.layout.placer.shapes import Region, boxes, joined, laid, leaf, turned_boxes
from archsim.layout.placer.spreading import bins_of
from archsim.layout.placer.start import start_of

_ROUNDS = 20
_BESIDE = (1.0, 0.75, 0.5, 0.25, 0.0)
"""Shares of the cells that get an area of their own; the others go where blocks leave something over."""
_SLENDER = 0.25
"""A core twice as long as wide has to be 2 ^ 0.25 times smaller to be taken."""
_TRIED, _LARGER, _TRIAL_ROUNDS = 4, 1.15, 25
"""So many floorplans, each no larger than the smallest by that factor, have cells placed in them for so many
rounds: the product of area and wire decides."""


@dataclass(frozen=True, eq=False)
class _Plan:
    """A core and a shape of the whole that fits into it; the less the `score` the better."""

    score: float
    core: Core
    root: Region
    place: int


def floorplan(
    problem: PlacementProblem, *, seed: int, progress: Callable[[float], None]
) -> tuple[Core, Blocks]:
    """The core, as given or made, and the blocks in it; `progress` is told which share is done.

    Raises LayoutError where the blocks do not fit into the core.
    """
    if not problem.blocks:
        nothing = np.zeros(0)
        return problem.core or _square(problem), Blocks(
            x_um=nothing, y_um=nothing, orientation=np.zeros(0, np.int64)
        )
    if problem.fixed_blocks is not None and problem.core is not None:
        return problem.core, problem.fixed_blocks
    wanted, every = _wanted(problem, seed), (np.arange(problem.blocks), np.arange(problem.cells))
    plans = []
    for by_kind in (False, True):
        for beside in _BESIDE:
            fitting = _fitting(problem, _sliced(problem, *every, wanted, beside, by_kind=by_kind))
            plans += [min(fitting, key=lambda plan: plan.score)] if fitting else []
    if not plans:
        raise _unfit(problem)
    plans.sort(key=lambda plan: plan.score)
    chosen = [plan for plan in plans[:_TRIED] if plan.score < _LARGER * plans[0].score]
    tried = []
    for number, plan in enumerate(chosen):
        progress((number + 1) / (len(chosen) + 1))
        tried.append(_tried(problem, plan, wanted, seed))
    best = min(tried, key=lambda trial: trial.cost)
    return best.core, _oriented(problem, best.centre, best.blocks)


@dataclass(frozen=True, eq=False)
class _Trial:
    """A floorplan, the centres of all objects (objects, 2) in a short rough placement, and the wires of that
    times the area."""

    core: Core
    blocks: Blocks
    centre: Floats
    cost: float


def _tried(problem: PlacementProblem, plan: _Plan, wanted: Floats, seed: int) -> _Trial:
    core = plan.core
    size = np.array([core.sites * problem.site_width_um, core.rows * problem.row_height_um])
    x, y, is_turned = laid(problem, plan.root, plan.place, core)
    blocks = _oriented(problem, wanted * size, Blocks(x_um=x, y_um=y, orientation=is_turned))
    start = start_of(problem, core, blocks)
    centre = roughly(start.springs, start.empty.centre_um, seed=seed, rounds=_TRIAL_ROUNDS)
    wires = start.springs.x.spans(centre[:, 0]).sum() + start.springs.y.spans(centre[:, 1]).sum()
    return _Trial(start.empty.core, blocks, centre, float(wires) * start.empty.core_um2)


def _square(problem: PlacementProblem) -> Core:
    """A square core for cells alone."""
    sites = problem.cell_sites.sum() / problem.utilisation
    rows = max(1, round(math.sqrt(sites * problem.site_width_um / problem.row_height_um)))
    across = max(math.ceil(sites / rows), int(problem.cell_sites.max(initial=1)))
    return Core(rows=rows, sites=across)


def _wanted(problem: PlacementProblem, seed: int) -> Floats:
    """Where all objects would be (objects, 2), as shares of the core, if blocks could lie anywhere."""
    area = np.concatenate(
        [
            problem.cell_sites * problem.site_um2 / problem.utilisation,
            boxes(problem).prod(axis=1) * problem.site_um2,
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


def _sliced(
    problem: PlacementProblem, blocks: Ints, cells: Ints, wanted: Floats, beside: float, *, by_kind: bool
) -> Region:
    """The region of some blocks and cells, which a share `beside` of the cells takes its own area in. It is
    cut where the blocks are wanted, or first, `by_kind`, between blocks of different sizes: equal ones
    leave nothing over."""
    if len(blocks) == 1:
        sites = beside * problem.cell_sites[cells].sum() / problem.utilisation
        return leaf(problem, int(blocks[0]), sites)
    places = wanted[problem.cells + blocks]
    axis = 0 if np.ptp(places[:, 0]) >= np.ptp(places[:, 1]) else 1
    along = places[:, axis]
    area = (problem.block_width_um * problem.block_height_um)[blocks]
    kind = np.unique(boxes(problem)[blocks], axis=0, return_inverse=True)[1].ravel()
    if by_kind and kind.max():
        along = (np.bincount(kind, along) / np.bincount(kind))[kind]
        cuts = np.flatnonzero(np.diff(np.sort(along)) > 0) + 1
    else:
        cuts = np.arange(1, len(blocks))
    order = np.argsort(along, kind="stable")
    summed = area[order].cumsum()
    if not len(cuts):
        cuts = np.arange(1, len(blocks))
    cut = int(cuts[np.argmin(np.abs(summed[cuts - 1] - summed[-1] / 2))])
    is_low = wanted[cells, axis] < 0.5 * (along[order[cut - 1]] + along[order[cut]])
    low = _sliced(problem, blocks[order[:cut]], cells[is_low], wanted, beside, by_kind=by_kind)
    high = _sliced(problem, blocks[order[cut:]], cells[~is_low], wanted, beside, by_kind=by_kind)
    return joined(low, high)


def _fitting(problem: PlacementProblem, root: Region) -> list[_Plan]:
    """What can be made of the whole."""
    taken = int(boxes(problem).prod(axis=1).sum())
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
        made.append(_Plan(score * max(width / height, height / width) ** _SLENDER, core, root, place))
    return made


def _unfit(problem: PlacementProblem) -> LayoutError:
    assert problem.core is not None
    drawn, turned = boxes(problem), turned_boxes(problem)
    most = np.array([problem.core.sites, problem.core.rows])
    fits = (drawn <= most).all(axis=1) | (problem.block_turns & (turned <= most).all(axis=1))
    what = f"core is {problem.core.rows} rows of {problem.core.sites} sites, allowed is one "
    if not fits.all():
        sites, rows = drawn[int(np.argmin(fits))].tolist()
        return LayoutError(f"{what}that holds a block of {rows} rows by {sites} sites with its halo")
    return LayoutError(f"{what}that holds the {problem.blocks} blocks side by side with their halos")


def _oriented(problem: PlacementProblem, centre: Floats, blocks: Blocks) -> Blocks:
    """The blocks, each turned or mirrored so that its pins are nearest to the middles of their nets, where
    the objects have these centres (objects, 2). A square may be turned by a quarter where it lies."""
    width, height = turned_sizes(problem.block_width_um, problem.block_height_um, blocks.orientation)
    pins = np.maximum(np.diff(problem.net_start), 1)
    middle = np.stack(
        [np.bincount(problem.pin_net, centre[problem.pin_object, k], problem.nets) / pins for k in (0, 1)],
        axis=1,
    )
    block = problem.pin_object - problem.cells
    own = np.flatnonzero((block >= 0) & (block < problem.blocks) & ~problem.is_clock[problem.pin_net])
    here = np.stack([blocks.x_um + width / 2, blocks.y_um + height / 2], axis=1)
    is_square = problem.block_turns & np.isclose(width, height, rtol=0, atol=1e-9)
    far = np.full((len(ORIENTATIONS), problem.blocks), np.inf)
    for way in range(len(ORIENTATIONS)):
        turned = np.zeros(problem.objects, np.int64)
        turned[problem.cells : problem.cells + problem.blocks] = way
        at = here[block[own]] + pin_offsets(problem, turned)[own]
        distance = np.abs(at - middle[problem.pin_net[own]]).sum(axis=1)
        fits = is_square | (way % 2 == blocks.orientation % 2)
        far[way, fits] = np.bincount(block[own], distance, problem.blocks)[fits]
    return replace(blocks, orientation=far.argmin(axis=0))
