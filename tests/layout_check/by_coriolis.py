"""Coloquinte and Katana, run as a program in the environment that has them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from archsim.layout import Placement
from archsim.layout.ports import best_ports, slots
from archsim.layout.problem import Floats
from archsim.netlist.netlist import CONSTANTS
from tests.layout_check.comparison import Row
from tests.layout_check.netlists import Case
from tests.layout_check.places import Places, ours
from tests.layout_check.programs import CORIOLIS, run

PROGRAM = Path(__file__).with_name("coriolis_program.py")
UPSIDE_DOWN = 6
"""Its index in `ORIENTATIONS`."""
_OPEN = re.compile(r"^ *\d+\| (?:Horizontal|Vertical|&?<id:\d+ (?:Horizontal|Vertical)) ", re.MULTILINE)


def rows(case: Case, folder: Path) -> Iterator[Row]:
    """The netlist placed by Coloquinte in the same core, and both placements routed by Katana."""
    problem, placement = case.subject.problem, case.placement
    no_ports: Floats = np.zeros((0, 2))
    loose = _made(given_of(case, no_ports, is_routed=False), folder, "loose")
    places = places_of(case, loose, placement.port_um)
    free = slots(problem.ports, placement.width_um, placement.height_um)
    port_um = best_ports(problem, places.pin_um[:, 0], places.pin_um[:, 1], free)
    theirs = _made(given_of(case, port_um), folder, "theirs")
    places = places_of(case, theirs, port_um)
    yield Row(
        case=case.name,
        cells=case.cells,
        placer="Coloquinte",
        router="Katana",
        ours_um=case.places.half_perimeter_um,
        theirs_um=places.half_perimeter_um,
        routed_over_tree=places.routed_over_tree(np.array(theirs["wire_um"])),
        open=theirs["open"],
        ours_s=case.placing_s,
        placing_s=theirs["placing_s"],
        routing_s=theirs["routing_s"],
    )
    routed = _made(given_of(case, placement.port_um, placement), folder, "ours")
    yield Row(
        case=case.name,
        cells=case.cells,
        placer="archsim",
        router="Katana",
        ours_um=case.places.half_perimeter_um,
        routed_over_tree=ours(placement).routed_over_tree(np.array(routed["wire_um"])),
        open=routed["open"],
        ours_s=case.placing_s,
        routing_s=routed["routing_s"],
    )


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
    case: Case, port_um: Floats, placement: Placement | None = None, *, is_routed: bool = True
) -> dict[str, Any]:
    """A case as the program reads it, with ports (ports, 2) or none: with the places of a placement, or for
    it to place."""
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
    if placement is not None:
        for one, x, y, row in zip(instances, placement.x_um, placement.y_um, placement.cell_row, strict=True):
            one |= {"x_um": float(x), "y_um": float(y), "flipped": bool(row % 2)}
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
