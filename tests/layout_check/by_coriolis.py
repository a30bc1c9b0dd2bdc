"""Coloquinte and Katana, run as a program in the environment that has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from archsim.layout import Placement
from archsim.layout.placer.ports import best_ports, slots
from archsim.layout.placer.problem import Floats
from archsim.netlist.netlist import CONSTANTS
from tests.layout_check.comparison import Row
from tests.layout_check.netlists import Case
from tests.layout_check.places import Places
from tests.layout_check.programs import CORIOLIS, run

PROGRAM = Path(__file__).with_name("coriolis_program.py")
UPSIDE_DOWN = 6
"""Its index in `ORIENTATIONS`."""
_OPEN = re.compile(r"^ *\d+\| (?:Horizontal|Vertical|&?<id:\d+ (?:Horizontal|Vertical)) ", re.MULTILINE)


def rows(case: Case, folder: Path) -> Iterator[Row]:
    """The netlist placed by Coloquinte in the same core, and both placements routed by Katana.

    Ports may stand in our order, or in that which is best for Coloquinte's places without any: of the two
    placements the shorter is compared with.
    """
    problem, placement, port_um = case.subject.problem, case.placement, case.placement.port_um
    no_ports: Floats = np.zeros((0, 2))
    loose = places_of(case, _made(given_of(case, no_ports, is_routed=False), folder, "loose"), port_um)
    free = slots(problem.ports, placement.width_um, placement.height_um)
    own_um = best_ports(problem, loose.pin_um[:, 0], loose.pin_um[:, 1], free)
    tried = []
    for name, at_um in (("own_ports", own_um), ("our_ports", port_um)):
        made = _made(given_of(case, at_um, is_routed=False), folder, name)
        tried.append((places_of(case, made, at_um), at_um, made))
    theirs, at_um, made = min(tried, key=lambda each: each[0].half_perimeter_um)
    routed = _made(given_of(case, at_um, made["places"]), folder, "theirs")
    yield replace(
        _row(case, theirs, routed),
        placer="Coloquinte",
        theirs_um=theirs.half_perimeter_um,
        placing_s=made["placing_s"],
    )
    yield _row(case, case.places, _made(given_of(case, port_um, lying(placement)), folder, "ours"))


def _row(case: Case, places: Places, routed: dict[str, Any]) -> Row:
    """What Katana made of places."""
    return Row(
        case=case.name,
        cells=case.cells,
        placer="archsim",
        router="Katana",
        ours_um=case.places.half_perimeter_um,
        routed_over_tree=places.routed_over_tree(np.array(routed["wire_um"])),
        open=routed["open"],
        ours_s=case.placing_s,
        routing_s=routed["routing_s"],
    )


def lying(placement: Placement) -> list[dict[str, Any]]:
    """A placement as the program says one."""
    return [
        {"x_um": float(x), "y_um": float(y), "flipped": bool(row % 2)}
        for x, y, row in zip(placement.x_um, placement.y_um, placement.cell_row, strict=True)
    ]


def _made(given: dict[str, Any], folder: Path, name: str) -> dict[str, Any]:
    """What the program makes of what it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    asked, told = (folder / f"{name}_{what}.json" for what in ("given", "made"))
    asked.write_text(json.dumps(given), encoding="utf-8")
    told.unlink(missing_ok=True)
    run([CORIOLIS.absolute(), PROGRAM, asked.absolute(), told.absolute()], folder, f"{name}.log")
    made: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    made["open"] = open_segments((folder / f"{name}.log").read_text(encoding="utf-8", errors="replace"))
    return made


def open_segments(log: str) -> int:
    """How many segments Katana lists as open."""
    return len(_OPEN.findall(log))


def places_of(case: Case, made: dict[str, Any], port_um: Floats) -> Places:
    """Where the program put the cells, with ports (ports, 2) where they were given."""
    problem = case.subject.problem
    corners = np.array([(one["x_um"], one["y_um"]) for one in made["places"]])
    half = np.stack(
        [problem.cell_sites * problem.site_width_um, np.full(problem.cells, problem.row_height_um)]
    )
    flipped = np.array([one["flipped"] for one in made["places"]])
    return Places(problem, np.concatenate([corners + half.T / 2, port_um]), np.where(flipped, UPSIDE_DOWN, 0))


def given_of(
    case: Case, port_um: Floats, places: Sequence[dict[str, Any]] = (), *, is_routed: bool = True
) -> dict[str, Any]:
    """A case as the program reads it, with ports (ports, 2) or none: with the places of its cells, or for it
    to place."""
    subject, netlist = case.subject, case.subject.netlist
    outlines = subject.abstracts.cells
    masters = {
        name: {
            "width_um": outlines[name].width_um,
            "pins": dict(outlines[name].pins),
            "outputs": subject.outputs(name),
        }
        for name in netlist.count()
    }
    instances: list[dict[str, Any]] = [{"master": netlist.type_names[kind]} for kind in netlist.cell_type]
    for one, place in zip(instances, places, strict=False):
        one |= place
    nets: list[dict[str, Any]] = [{"pins": [], "ports": []} for _ in range(netlist.nets)]
    for cell, pin, net in zip(netlist.pin_cell, netlist.pin_name, netlist.pin_net, strict=True):
        nets[net]["pins"].append((int(cell), netlist.pin_names[pin]))
    for name, net, (x, y) in zip(subject.port_names, subject.port_nets, port_um, strict=False):
        direction = netlist.ports[name if name in netlist.ports else name.rpartition("[")[0]].direction
        nets[net]["ports"].append({"x_um": float(x), "y_um": float(y), "is_input": direction == "input"})
    return {
        "pitch_um": subject.abstracts.site_width_um,
        "site_um": subject.abstracts.site_width_um,
        "row_um": subject.abstracts.row_height_um,
        "width_um": case.placement.width_um,
        "height_um": case.placement.height_um,
        "masters": masters,
        "instances": instances,
        "is_routed": is_routed,
        "nets": [{"pins": [], "ports": []}] * CONSTANTS + nets[CONSTANTS:],
    }
