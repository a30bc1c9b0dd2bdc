"""What the placer promises of any problem: a legal placement, the same in every run, short wires."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from archsim.layout import Blocks, Core, LayoutError, Placement, PlacementProblem, place
from archsim.layout.placer.problem import MATRICES, ORIENTATIONS
from tests.archsim.layout.problems import check, problem, problems


def plain_hpwl(placed: Placement, net: int) -> float:
    """The half perimeter of a net, pin by pin, by what the words of the orientations mean."""
    problem = placed.problem
    at = []
    for pin in range(problem.net_start[net], problem.net_start[net + 1]):
        one, dx, dy = problem.pin_object[pin], problem.pin_dx_um[pin], problem.pin_dy_um[pin]
        word = "N"
        if one < problem.cells:
            word = "FS" if placed.cell_row[one] % 2 else "N"
            x = (placed.cell_site[one] + problem.cell_sites[one] / 2) * problem.site_width_um
            y = (placed.cell_row[one] + 0.5) * problem.row_height_um
        elif one < problem.cells + problem.blocks:
            block = one - problem.cells
            word = ORIENTATIONS[placed.blocks.orientation[block]]
            w, h = problem.block_width_um[block], problem.block_height_um[block]
            w, h = (h, w) if word[-1] in "WE" else (w, h)
            x, y = placed.blocks.x_um[block] + w / 2, placed.blocks.y_um[block] + h / 2
        else:
            x, y = placed.port_um[one - problem.cells - problem.blocks]
        if word.startswith("F"):
            dx = -dx
        for _ in range("NWSE".index(word[-1])):
            dx, dy = -dy, dx
        at.append((x + dx, y + dy))
    return float(np.ptp(np.array(at), axis=0).sum()) if at else 0.0


@settings(max_examples=40, deadline=None)
@given(problems())
def test_a_placement_is_legal_and_its_nets_are_as_long_as_their_pins_lie(problem: PlacementProblem) -> None:
    placed = place(problem)
    check(placed)
    for net in range(problem.nets):
        assert placed.hpwl_um[net] == pytest.approx(plain_hpwl(placed, net), abs=1e-6)


def test_the_orientations_turn_as_lef_says() -> None:
    """N leaves a pin on the right where it is, W turns it to the top, F first takes it to the left."""
    right = np.array([1.0, 0.0])
    turned = {name: tuple(matrix @ right) for name, matrix in zip(ORIENTATIONS, MATRICES, strict=True)}
    assert turned["N"] == (1, 0)
    assert turned["W"] == (0, 1)
    assert turned["S"] == (-1, 0)
    assert turned["E"] == (0, -1)
    assert turned["FN"] == (-1, 0)
    assert turned["FS"] == (1, 0)
    assert tuple(MATRICES[ORIENTATIONS.index("FS")] @ [0.0, 1.0]) == (0, -1)


@settings(max_examples=10, deadline=None)
@given(problems())
def test_the_same_problem_is_placed_alike_again(problem: PlacementProblem) -> None:
    one, other = place(problem), place(problem)
    assert (one.pin_um == other.pin_um).all()
    assert one.core == other.core


@settings(max_examples=15, deadline=None)
@given(problems())
def test_what_is_fixed_stays_where_it_was(problem: PlacementProblem) -> None:
    first = place(problem)
    fixed = replace(
        problem, core=first.core, fixed_blocks=first.blocks, fixed_ports=first.port_um[::-1].copy()
    )
    again = place(fixed)
    check(again)
    assert (again.blocks.x_um == first.blocks.x_um).all()
    assert (again.blocks.y_um == first.blocks.y_um).all()
    assert (again.port_um == first.port_um[::-1]).all()


def test_progress_is_told_and_rises_to_one() -> None:
    told: list[tuple[str, float]] = []
    place(problem(cells=40, blocks=2, ports=4, nets=60), progress=lambda *one: told.append(one))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_a_chain_of_cells_is_placed_as_a_chain() -> None:
    """Each cell has a wire to the next one: neighbours end up beside each other."""
    cells = 60
    pins = np.stack([np.arange(cells - 1), np.arange(1, cells)], axis=1).ravel()
    chain = replace(
        problem(cells=cells),
        cell_sites=np.full(cells, 4),
        net_start=np.arange(0, 2 * cells - 1, 2),
        pin_object=pins,
        pin_dx_um=np.zeros(len(pins)),
        pin_dy_um=np.zeros(len(pins)),
        is_clock=np.zeros(cells - 1, bool),
        pulls=np.ones(cells - 1, bool),
    )
    mean_um = place(chain).hpwl_um.mean()
    assert mean_um < 2.5  # Cells are 0.8 um wide and 1.8 um high; at random places it is 8 um.


def test_a_block_is_turned_so_that_its_pins_face_what_they_connect() -> None:
    """A block on the left side, whose pins all lie on one edge, shows that edge to the cells."""
    wide = problem(cells=40)
    pins = np.stack([np.full(40, 40), np.arange(40)], axis=1).ravel()
    given = replace(
        wide,
        block_width_um=np.array([9.0]),
        block_height_um=np.array([9.0]),
        block_turns=np.array([True]),
        net_start=np.arange(0, 81, 2),
        pin_object=pins,
        pin_dx_um=np.where(pins == 40, np.linspace(-4, 4, 80), 0.0),
        pin_dy_um=np.where(pins == 40, -4.5, 0.0),
        is_clock=np.zeros(40, bool),
        pulls=np.ones(40, bool),
    )
    placed = place(given)
    block, cells = placed.centre_um[40], placed.centre_um[:40].mean(axis=0)
    edge = placed.pin_um[0::2].mean(axis=0)
    assert (edge - block) @ (cells - block) > 0


@pytest.mark.parametrize("utilisation", [0.0, -1.0, 1.5, float("nan")])
def test_a_utilisation_that_is_no_share_is_refused(utilisation: float) -> None:
    with pytest.raises(LayoutError, match=r"^utilisation is .*, allowed are numbers above 0, up to 1$"):
        problem(cells=4, utilisation=utilisation)


def test_a_netlist_that_does_not_fit_its_core_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"^core is 2 rows of 5 sites, of which 10 are free, allowed is"):
        place(replace(problem(cells=40), core=Core(rows=2, sites=5)))


def test_a_cell_that_fits_into_no_row_is_refused() -> None:
    given = replace(problem(cells=3), cell_sites=np.array([6, 6, 6]), core=Core(rows=2, sites=10))
    with pytest.raises(LayoutError, match=r"^utilisation is 0\.9, at which a cell of 6 sites fits into no"):
        place(given)


def test_a_block_larger_than_the_core_is_refused() -> None:
    given = replace(problem(cells=4, blocks=2), core=Core(rows=3, sites=30))
    with pytest.raises(LayoutError, match=r"^core is 3 rows of 30 sites, allowed is one that holds a block"):
        place(given)


def test_blocks_that_fit_one_by_one_but_not_together_are_refused() -> None:
    given = replace(
        problem(cells=4, blocks=3, halo_um=0.0),
        block_width_um=np.full(3, 8.0),
        block_height_um=np.full(3, 9.0),
        core=Core(rows=6, sites=60),
    )
    with pytest.raises(LayoutError, match=r"that holds the 3 blocks side by side with their halos$"):
        place(given)


def test_fixed_blocks_without_a_core_are_refused() -> None:
    nowhere = Blocks(x_um=np.zeros(0), y_um=np.zeros(0), orientation=np.zeros(0, np.int64))
    with pytest.raises(LayoutError, match=r"^core is None, allowed are a core in which"):
        replace(problem(cells=4), fixed_blocks=nowhere)
