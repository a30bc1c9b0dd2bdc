"""Random problems for the placer, and what must hold of every placement of one."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from archsim.layout import Placement, PlacementProblem
from archsim.layout.placer.problem import turned_sizes

ROW_UM, SITE_UM = 1.8, 0.2


def problem(
    *,
    cells: int,
    blocks: int = 0,
    ports: int = 0,
    nets: int = 0,
    seed: int = 0,
    utilisation: float = 0.7,
    halo_um: float = 0.5,
) -> PlacementProblem:
    """A problem of random sizes and nets, some of which have one pin or none, and one of which is a clock."""
    draw = np.random.default_rng(seed)
    objects = cells + blocks + ports
    sizes = draw.integers(0, 6, nets)
    chosen = [np.sort(draw.integers(0, objects, size)) for size in sizes]
    pins = int(sizes.sum())
    pin_object = np.concatenate([*chosen, np.zeros(0, np.int64)]).astype(np.int64)
    offsets = draw.uniform(-0.3, 0.3, (2, pins)) * (pin_object < cells + blocks)
    is_clock = np.arange(nets) == 0
    return PlacementProblem(
        name="random",
        row_height_um=ROW_UM,
        site_width_um=SITE_UM,
        utilisation=utilisation,
        cell_sites=draw.integers(1, 9, cells),
        block_width_um=draw.uniform(2, 12, blocks),
        block_height_um=draw.uniform(2, 12, blocks),
        block_turns=draw.random(blocks) < 0.5,
        halo_um=halo_um,
        ports=ports,
        net_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        pin_object=pin_object,
        pin_dx_um=offsets[0],
        pin_dy_um=offsets[1],
        is_clock=is_clock,
        pulls=~is_clock,
    )


@st.composite
def problems(draw: st.DrawFn) -> PlacementProblem:
    return problem(
        cells=draw(st.integers(0, 60)),
        blocks=draw(st.integers(0, 5)),
        ports=draw(st.integers(1, 8)),
        nets=draw(st.integers(0, 80)),
        seed=draw(st.integers(0, 1000)),
        utilisation=draw(st.sampled_from([0.3, 0.6, 0.8])),
        halo_um=draw(st.sampled_from([0.0, 0.5, 2.0])),
    )


def check(placed: Placement) -> None:
    """Everything lies inside the core, cells in rows and sites, and nothing over anything else."""
    problem = placed.problem
    width, height = turned_sizes(problem.block_width_um, problem.block_height_um, placed.blocks.orientation)
    halo, site, high = problem.halo_um, problem.site_width_um, problem.row_height_um
    boxes = [
        (x - halo, y - halo, x + w + halo, y + h + halo)
        for x, y, w, h in zip(placed.blocks.x_um, placed.blocks.y_um, width, height, strict=True)
    ]
    occupied = np.zeros((placed.core.rows, placed.core.sites), np.int64)
    for left, row, sites in zip(placed.cell_site, placed.cell_row, problem.cell_sites, strict=True):
        assert 0 <= left <= placed.core.sites - sites
        assert 0 <= row < placed.core.rows
        occupied[row, left : left + sites] += 1
        for x0, y0, x1, y1 in boxes:
            beside = left * site >= x1 - 1e-6 or (left + sites) * site <= x0 + 1e-6
            assert beside or row * high >= y1 - 1e-6 or (row + 1) * high <= y0 + 1e-6
    assert occupied.max(initial=0) <= 1
    for place, (x0, y0, x1, y1) in enumerate(boxes):
        assert min(x0, y0) >= -1e-6
        assert x1 <= placed.width_um + 1e-6
        assert y1 <= placed.height_um + 1e-6
        assert problem.block_turns[place] or placed.blocks.orientation[place] % 2 == 0
        for u0, v0, u1, v1 in boxes[:place]:
            assert x0 >= u1 - 1e-6 or x1 <= u0 + 1e-6 or y0 >= v1 - 1e-6 or y1 <= v0 + 1e-6
    x, y = placed.port_um.T
    on_side = (x == 0) | (x == placed.width_um) | (y == 0) | (y == placed.height_um)
    assert on_side.all()
