"""A placed design as a DEF file, which other tools open together with the LEF of its cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from archsim.layout.from_netlist import Subject
from archsim.layout.lef_file import LAYERS, SITE
from archsim.layout.placer.placement import Placement
from archsim.layout.placer.problem import ORIENTATIONS
from archsim.netlist.netlist import CONSTANTS

PER_UM = 1000
"""Units of the file in a micrometre."""


def def_text(subject: Subject, placement: Placement) -> str:
    """The die, its rows where they are free, all components, ports and nets. Constants are left open."""
    return "\n".join(_lines(subject, placement)) + "\n"


def _lines(subject: Subject, placement: Placement) -> Iterator[str]:
    name = _name(subject.netlist.name)
    yield from ("VERSION 5.8 ;", 'DIVIDERCHAR "." ;', 'BUSBITCHARS "[]" ;', f"DESIGN {name} ;")
    yield f"UNITS DISTANCE MICRONS {PER_UM} ;"
    yield f"DIEAREA ( 0 0 ) ( {_units(placement.width_um)} {_units(placement.height_um)} ) ;"
    yield from _rows(placement)
    yield from _components(subject, placement)
    yield from _ports(subject, placement)
    yield from _nets(subject)
    yield "END DESIGN"


def _units(um: float) -> int:
    return round(um * PER_UM)


def _name(text: str) -> str:
    """A name as DEF takes it: brackets that do not index a bus are escaped, blanks are none."""
    return text.replace(" ", "_").replace("[", "\\[").replace("]", "\\]")


def component_names(subject: Subject) -> list[str]:
    """The names of cells, then blocks, as in the netlist but for what DEF does not take; a name that comes
    twice gets a number."""
    taken: defaultdict[str, int] = defaultdict(int)
    names = []
    for given in (*subject.netlist.cell_names, *(block.name for block in subject.blocks)):
        name = _name(given)
        taken[name] += 1
        names.append(name if taken[name] == 1 else f"{name}__{taken[name]}")
    return names


def _rows(placement: Placement) -> Iterator[str]:
    rows, problem = placement.rows, placement.problem
    step = _units(problem.site_width_um)
    for number, (row, first, end) in enumerate(
        zip(rows.row.tolist(), rows.first.tolist(), rows.end.tolist(), strict=True)
    ):
        x, y = _units(first * problem.site_width_um), _units(row * problem.row_height_um)
        turned = "FS" if row % 2 else "N"
        yield f"ROW row_{number} {SITE} {x} {y} {turned} DO {end - first} BY 1 STEP {step} 0 ;"


def _components(subject: Subject, placement: Placement) -> Iterator[str]:
    names, netlist, blocks = component_names(subject), subject.netlist, placement.blocks
    yield f"COMPONENTS {len(names)} ;"
    for name, kind, x, y, turned in zip(
        names,
        (netlist.type_names[kind] for kind in netlist.cell_type.tolist()),
        placement.x_um.tolist(),
        placement.y_um.tolist(),
        placement.cell_orientation.tolist(),
        strict=False,
    ):
        yield f"- {name} {kind} + PLACED ( {_units(x)} {_units(y)} ) {ORIENTATIONS[turned]} ;"
    for place, block in enumerate(subject.blocks):
        x, y = _units(blocks.x_um[place]), _units(blocks.y_um[place])
        turned = ORIENTATIONS[blocks.orientation[place]]
        yield f"- {names[placement.problem.cells + place]} {block.abstract} + FIXED ( {x} {y} ) {turned} ;"
    yield "END COMPONENTS"


def _net_name(subject: Subject, net: int) -> str:
    return _name(f"{subject.netlist.net_names.get(net, 'net')}.{net}")


def _ports(subject: Subject, placement: Placement) -> Iterator[str]:
    half = _units(placement.problem.site_width_um / 4)
    wired = [place for place, net in enumerate(subject.port_nets.tolist()) if net >= CONSTANTS]
    yield f"PINS {len(wired)} ;"
    for place in wired:
        name, (x, y) = subject.port_names[place], placement.port_um[place]
        direction = subject.netlist.ports[name.partition("[")[0]].direction.upper()
        net = _net_name(subject, int(subject.port_nets[place]))
        yield f"- {name} + NET {net} + DIRECTION {direction} + USE SIGNAL"
        yield f"  + LAYER {LAYERS[1]} ( {-half} {-half} ) ( {half} {half} )"
        yield f"  + PLACED ( {_units(x)} {_units(y)} ) N ;"
    yield "END PINS"


def _nets(subject: Subject) -> Iterator[str]:
    netlist, names = subject.netlist, component_names(subject)
    pins: defaultdict[int, list[str]] = defaultdict(list)
    for cell, pin, net in zip(
        netlist.pin_cell.tolist(), netlist.pin_name.tolist(), netlist.pin_net.tolist(), strict=True
    ):
        pins[net].append(f"( {names[cell]} {netlist.pin_names[pin]} )")
    for place, block in enumerate(subject.blocks):
        name = names[subject.problem.cells + place]
        for own, net in dict.fromkeys((pin.name, pin.net) for pin in block.pins):
            pins[net].append(f"( {name} {own} )")
    for port, net in zip(subject.port_names, subject.port_nets.tolist(), strict=True):
        pins[net].append(f"( PIN {port} )")
    wired = sorted(net for net in pins if net >= CONSTANTS)
    yield f"NETS {len(wired)} ;"
    for net in wired:
        yield f"- {_net_name(subject, net)}"
        yield from (f"  {pin}" for pin in pins[net])
        yield "  ;"
    yield "END NETS"
