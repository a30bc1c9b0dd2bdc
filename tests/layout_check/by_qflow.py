"""graywolf and qrouter, run as qflow runs them: its own script places and its own procedure routes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from archsim.layout import lef_text
from archsim.layout.lef_file import SITE
from archsim.layout.placer.problem import turned_sizes
from archsim.netlist.netlist import CONSTANTS
from tests.layout_check.comparison import Row
from tests.layout_check.def_reading import Def, read_def
from tests.layout_check.netlists import Case
from tests.layout_check.places import Places
from tests.layout_check.programs import OSU018, QFLOW, run

NAME = "design"
METALS = 5
"""Metals of the project's own cells; pins are on the first."""
_VARIABLES = """
set projectpath={folder}
set techdir={technology}
set sourcedir={folder}/source
set synthdir={folder}/synthesis
set layoutdir={folder}/layout
set techname={name}
set scriptdir={qflow}/scripts
set bindir={qflow}/bin
set logdir={folder}/log
"""
_TECHNOLOGY = """
set leffile={name}.lef
set spicefile=""
set libertyfile=""
set techleffile=""
set bufcell=""
set fillcell=FILL
set via_stacks=all
"""
_PARAMETERS = """
RULES
    layer M1 0.07 0.03 horizontal
    layer M2 0.07 0.03 vertical
    layer M3 0.07 0.03 horizontal
    layer M4 0.07 0.03 vertical
    via V12 M1 M2
    via V23 M2 M3
    via V34 M3 M4
    width M1 {half}
    width M2 {half}
    width M3 {half}
    width M4 {half}
    width V12 {half}
    width V23 {half}
    width V34 {half}
    spacing M1 M1 {half}
    spacing M2 M2 {half}
    spacing M3 M3 {half}
    spacing M4 M4 {half}
    spacing V12 V23 0
    spacing V23 V34 0
    overhang V12 M1 0
    overhang V12 M2 0
    overhang V23 M2 0
    overhang V23 M3 0
    overhang V34 M3 0
    overhang V34 M4 0
ENDRULES
*vertical_wire_weight : 1.0
*vertical_path_weight : 1.0
*padspacing           : variable
*rowSep               : 0.0   0
*track.pitch          : {pitch}
*minimum_pad_space    : {pitch}
*gridX                : {pitch}
*gridY                : {pitch}
*gridOffsetX          : 0
*gridOffsetY          : 0
*graphics.wait        : off
*last_chance.wait     : off
*random.seed          : 12345
TWMC*chip.aspect.ratio : 1.0
TWSC*feedThruWidth    : {pitch} layer 1
TWSC*do.global.route  : on
TWSC*ignore_feeds     : true
TWSC*call_row_evener  : true
TWSC*even_rows_maximally : true
GENR*row_to_tile_spacing: 1
GENR*flip_alternate_rows : 1
"""


_OWN = "check"
_UNITS_PER_UM = 100
"""graywolf counts in centimicrons."""
_LEFT = re.compile(r"No failed routes!|Failed net routes: (\d+)")
TIDIED = 2000
"""Of netlists with more cells qrouter is not asked to tidy what it has routed, its third stage, which takes
longer than all else."""


def rows_of(*, is_routed: bool) -> Callable[[Case, Path], Iterator[Row]]:
    """What places a case by graywolf in a core of its own, and routes it by qrouter where that is there."""

    def rows(case: Case, folder: Path) -> Iterator[Row]:
        _write(case, folder)
        script = QFLOW / "scripts" / "placement.sh"
        placing_s = run([script, "-k", "-d", folder.absolute(), NAME], folder, "placing.log")
        layout = folder / "layout"
        placed = read_def((layout / f"{NAME}.def").read_text(encoding="utf-8"))
        places = places_of(case, placed)
        routed_over_tree = routing_s = left = None
        if is_routed:
            if case.cells > TIDIED:
                _leave_untidied(layout / f"{NAME}.cfg")
            routing_s = run(["qrouter", "-nog", "-s", f"{NAME}.cfg"], layout, "routing.log")
            made = read_def((layout / f"{NAME}_route.def").read_text(encoding="utf-8"))
            wire_um = np.array([made.wire_um.get(f"n{net}", 0.0) for net in range(case.subject.problem.nets)])
            routed_over_tree = places.routed_over_tree(wire_um)
            left = open_nets((layout / "routing.log").read_text(encoding="utf-8", errors="replace"))
        yield Row(
            case=case.name,
            cells=case.cells,
            placer="graywolf",
            router="qrouter" if is_routed else "-",
            ours_um=case.places.half_perimeter_um,
            theirs_um=places.half_perimeter_um,
            routed_over_tree=routed_over_tree,
            open=left,
            ours_s=case.placing_s,
            placing_s=placing_s,
            routing_s=routing_s,
        )

    return rows


def places_of(case: Case, placed: Def) -> Places:
    """Where a DEF file of qflow puts the cells, which it numbers by type in the order of the netlist, and the
    ports, which have the names of their nets."""
    netlist, problem = case.subject.netlist, case.subject.problem
    numbers: defaultdict[str, int] = defaultdict(int)
    corners, lying = [], []
    for kind in netlist.cell_type.tolist():
        name = netlist.type_names[kind]
        numbers[name] += 1
        component = placed.components[f"{name}_{numbers[name]}"]
        corners.append((component.x_um, component.y_um))
        lying.append(component.orientation)
    ports = [placed.pins.get(f"n{net}", (0.0, 0.0)) for net in case.subject.port_nets.tolist()]
    orientation = np.array(lying, np.int64)
    width, height = turned_sizes(
        problem.cell_sites.astype(np.float64) * problem.site_width_um,
        np.full(problem.cells, problem.row_height_um),
        orientation,
    )
    centre = np.array(corners) + np.stack([width, height], axis=1) / 2
    return Places(problem, np.concatenate([centre, np.array(ports)]), orientation)


def _leave_untidied(script: Path) -> None:
    """Has qrouter's own procedure end after its second stage: its third argument says so."""
    text = script.read_text(encoding="utf-8")
    whole = f"qrouter::standard_route {NAME}_route.def false\n"
    script.write_text(text.replace(whole, f"{whole.rstrip()} true\n"), encoding="utf-8")


def open_nets(log: str) -> int:
    """How many nets qrouter says that it left open, in the end."""
    told = _LEFT.findall(log)
    return int(told[-1] or 0) if told else -1


def _write(case: Case, folder: Path) -> None:
    """All that qflow's script reads."""
    for part in ("source", "synthesis", "layout", "log", "technology"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    technology, name = OSU018, OSU018.name
    if case.is_ours:
        technology, name = folder / "technology", _OWN
        (technology / f"{_OWN}.lef").write_text(technology_lef(case), encoding="utf-8")
        (technology / f"{_OWN}.sh").write_text(_TECHNOLOGY.format(name=_OWN), encoding="utf-8")
        pitch = round(case.subject.abstracts.site_width_um * _UNITS_PER_UM)
        parameters = _PARAMETERS.format(pitch=pitch, half=pitch // 2)
    else:
        parameters = (technology / f"{name}.par").read_text(encoding="utf-8")
    utilisation = case.subject.problem.utilisation
    variables = _VARIABLES.format(
        folder=folder.absolute(), technology=technology.absolute(), name=name, qflow=QFLOW
    )
    files = {
        f"layout/{NAME}.par": parameters,
        f"synthesis/{NAME}.blif": blif_of(case),
        "log/synth.log": "mapped elsewhere\n",
        "project_vars.sh": f"set initial_density={utilisation:g}\nset vddnet=vdd\nset gndnet=gnd\n",
        "qflow_vars.sh": variables,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def blif_of(case: Case) -> str:
    """The netlist as qflow's tools read it. A port has the name of its net; constants are left open."""
    netlist = case.subject.netlist
    pins: defaultdict[int, list[str]] = defaultdict(list)
    for cell, pin, net in zip(netlist.pin_cell, netlist.pin_name, netlist.pin_net, strict=True):
        if net >= CONSTANTS:
            pins[int(cell)].append(f"{netlist.pin_names[pin]}=n{net}")
    ports: dict[str, list[str]] = {"input": [], "output": []}
    for port in netlist.ports.values():
        ports[port.direction] += [f"n{net}" for net in port.nets.tolist() if net >= CONSTANTS]
    lines = [f".model {NAME}"]
    for direction, nets in ports.items():
        lines.append(f".{direction}s " + " ".join(dict.fromkeys(nets)))
    for cell, kind in enumerate(netlist.cell_type.tolist()):
        lines.append(f".gate {netlist.type_names[kind]} " + " ".join(pins[cell]))
    return "\n".join([*lines, ".end", ""])


def technology_lef(case: Case) -> str:
    """The outlines as archsim writes them, behind layers with vias, and with a cell that fills a site."""
    abstracts = case.subject.abstracts
    pitch, row = abstracts.site_width_um, abstracts.row_height_um
    lines = ["VERSION 5.6 ;", 'BUSBITCHARS "[]" ;', 'DIVIDERCHAR "/" ;']
    lines += ["UNITS", "  DATABASE MICRONS 1000 ;", "END UNITS", "MANUFACTURINGGRID 0.01 ;"]
    for number in range(1, METALS + 1):
        way = "VERTICAL" if number % 2 == 0 else "HORIZONTAL"
        lines += [f"LAYER M{number}", "  TYPE ROUTING ;", f"  DIRECTION {way} ;"]
        lines += [f"  PITCH {pitch:.2f} ;", f"  OFFSET {pitch / 2:.2f} ;"]
        lines += [f"  WIDTH {pitch / 2:.2f} ;", f"  SPACING {pitch / 2:.2f} ;", f"END M{number}"]
        if number < METALS:
            lines += [f"LAYER V{number}", "  TYPE CUT ;", f"  SPACING {pitch / 2:.2f} ;", f"END V{number}"]
    corner = pitch / 4
    square = f"RECT -{corner:.2f} -{corner:.2f} {corner:.2f} {corner:.2f} ;"
    for number in range(1, METALS):
        lines.append(f"VIA VIA{number} DEFAULT")
        for layer in (f"M{number}", f"V{number}", f"M{number + 1}"):
            lines += [f"  LAYER {layer} ;", f"    {square}"]
        lines.append(f"END VIA{number}")
    own = lef_text(case.subject)
    lines += [own[own.index(f"SITE {SITE}\n") : own.index("END LIBRARY")].rstrip()]
    lines += ["MACRO FILL", "  CLASS CORE SPACER ;", "  ORIGIN 0 0 ;", f"  SIZE {pitch:.2f} BY {row:.2f} ;"]
    lines += ["  SYMMETRY X Y ;", f"  SITE {SITE} ;", "END FILL", "END LIBRARY", ""]
    return "\n".join(lines)
