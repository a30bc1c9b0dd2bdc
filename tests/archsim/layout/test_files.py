"""DEF and LEF are read back, by rules of their own: every cell, port, net and pin is there, where it lies."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from archsim.layout import Placement, Subject, def_text, lef_text
from archsim.layout.placer.problem import ORIENTATIONS
from archsim.technology.lef import read_lef

_PLACED = re.compile(r"^- (\S+) (\S+) \+ (?:PLACED|FIXED) \( (\d+) (\d+) \) (\w+) ;$", re.MULTILINE)


def section(text: str, name: str) -> tuple[int, str]:
    """The stated number of a section's entries, and its text."""
    found = re.search(rf"^{name} (\d+) ;\n(.*?)^END {name}$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return int(found[1]), found[2]


@pytest.fixture(scope="module")
def written(subject: Subject, placed: Placement) -> str:
    return def_text(subject, placed)


def test_every_component_is_there_once_where_it_lies(
    written: str, subject: Subject, placed: Placement
) -> None:
    number, text = section(written, "COMPONENTS")
    rows = _PLACED.findall(text)
    problem = subject.problem
    assert len(rows) == number == problem.cells + problem.blocks
    assert len({name for name, *_ in rows}) == number
    kinds = [subject.netlist.type_names[kind] for kind in subject.netlist.cell_type]
    kinds += [block.abstract for block in subject.blocks]
    x = [*placed.x_um, *placed.blocks.x_um]
    y = [*placed.y_um, *placed.blocks.y_um]
    turned = [*placed.cell_orientation, *placed.blocks.orientation]
    for place, (_, kind, left, low, way) in enumerate(rows):
        assert kind == kinds[place]
        assert (int(left), int(low)) == pytest.approx((x[place] * 1000, y[place] * 1000), abs=0.6)
        assert way == ORIENTATIONS[turned[place]]


def test_the_rows_are_the_free_sites(written: str, placed: Placement) -> None:
    rows = re.findall(r"^ROW \S+ core (\d+) (\d+) (N|FS) DO (\d+) BY 1 STEP 200 0 ;$", written, re.MULTILINE)
    assert sum(int(sites) for *_, sites in rows) == placed.rows.free_sites
    assert all((int(y) // 1800 % 2 == 1) == (way == "FS") for _, y, way, _ in rows)


def test_every_net_names_its_pins(written: str, subject: Subject) -> None:
    number, text = section(written, "NETS")
    nets = re.findall(r"^- (\S+)\n(.*?)^  ;$", text, re.MULTILINE | re.DOTALL)
    netlist = subject.netlist
    assert len(nets) == len({name for name, _ in nets}) == number
    pins = Counter(pin for _, inside in nets for pin in re.findall(r"\( (\S+) (\S+) \)", inside))
    assert max(pins.values()) == 1
    of_ports = [pin for name, pin in pins if name == "PIN"]
    of_blocks = sum(pin.net >= 2 for block in subject.blocks for pin in block.pins)
    assert set(of_ports) == set(subject.port_names)
    assert len(pins) == (netlist.pin_net >= 2).sum() + of_blocks + len(of_ports)


def test_ports_stand_on_the_edge(written: str, subject: Subject, placed: Placement) -> None:
    number, text = section(written, "PINS")
    places = re.findall(r"\+ PLACED \( (\d+) (\d+) \) N ;", text)
    assert len(places) == number == len(subject.port_names)
    right, top = round(placed.width_um * 1000), round(placed.height_um * 1000)
    assert all(int(x) in (0, right) or int(y) in (0, top) for x, y in places)
    directions = Counter(re.findall(r"\+ DIRECTION (\w+)", text))
    ports = subject.netlist.ports.values()
    assert directions["OUTPUT"] == sum(len(port.nets) for port in ports if port.direction == "output")


def test_the_abstracts_are_read_back_as_they_were_placed(subject: Subject, tmp_path: Path) -> None:
    path = tmp_path / "cells.lef"
    path.write_text(lef_text(subject))
    lef = read_lef([path])
    abstracts = subject.abstracts
    assert lef.sites == {"core": pytest.approx((abstracts.site_width_um, abstracts.row_height_um))}
    assert lef.outlines.keys() == subject.netlist.count().keys() | {
        block.abstract for block in subject.blocks
    }
    for name in subject.netlist.count():
        cell = abstracts.cells[name]
        assert lef.outlines[name].width_um == pytest.approx(cell.width_um)
        assert lef.outlines[name].pins == {pin: pytest.approx(at, abs=0.06) for pin, at in cell.pins.items()}
    for block in subject.blocks:
        read = lef.outlines[block.abstract]
        assert (read.width_um, read.height_um) == pytest.approx((block.width_um, block.height_um), abs=1e-4)
        assert read.turns == block.turns
        assert read.pins.keys() == {pin.name for pin in block.pins}
