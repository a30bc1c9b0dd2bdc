"""Where the ports of a design stand: evenly on the edge of the core, each as near as it can be to what it
connects."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from archsim.layout.placer.problem import Floats, Ints, PlacementProblem


def slots(ports: int, width_um: float, height_um: float) -> Floats:
    """As many places (ports, 2), equally far apart round the edge from the lower left corner to the right."""
    along = (np.arange(ports) + 0.5) / max(ports, 1) * 2 * (width_um + height_um)
    corners = np.cumsum([0, width_um, height_um, width_um, height_um])
    x = np.interp(along, corners, [0, width_um, width_um, 0, 0])
    y = np.interp(along, corners, [0, 0, height_um, height_um, 0])
    return np.stack([x, y], axis=1)


def best_ports(problem: PlacementProblem, pin_x: Floats, pin_y: Floats, places: Floats) -> Floats:
    """Which of the `places` (ports, 2) each port takes so that the sum of their distances to the middles of
    their nets, other ports left out, is least."""
    if not problem.ports:
        return places
    first = problem.cells + problem.blocks
    is_port = problem.pin_object >= first
    net, inner = problem.pin_net, ~is_port
    pins = np.bincount(net[inner], minlength=problem.nets)
    middle = [np.bincount(net[inner], at[inner], problem.nets) / np.maximum(pins, 1) for at in (pin_x, pin_y)]
    wanted = np.full((problem.ports, 2), np.nan)
    port, port_net = problem.pin_object[is_port] - first, net[is_port]
    pulled = pins[port_net] > 0
    wanted[port[pulled]] = np.stack(middle, axis=1)[port_net[pulled]]
    free = np.isnan(wanted[:, 0])
    far = np.abs(wanted[:, None, :] - places[None, :, :]).sum(axis=2)
    far[free] = 0.0
    _, taken = linear_sum_assignment(far)
    best: Floats = places[taken]
    return best


def port_objects(problem: PlacementProblem) -> Ints:
    """The objects that are ports."""
    return np.arange(problem.cells + problem.blocks, problem.objects)
