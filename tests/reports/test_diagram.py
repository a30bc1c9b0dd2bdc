"""A block diagram shows every component and memory of the hardware, all that runs between them, and nothing
else; boxes stand apart, and lines end at them."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings, strategies as st

import archsim as a
from archsim.engine import engines
from reports.cli import main
from reports.diagram.drawing import described, svg
from reports.diagram.engine import diagram_of
from reports.diagram.layers import crossings, layered
from reports.diagram.routing import BOX_HEIGHT, routed
from rtl import Hardware, to_verilog
from rtl.blocks import INPUTS, OUTPUTS, BlockDiagram, block_diagram
from tests.strategies import cases
from workloads import PlacedLayers, PlacedNetwork, Places, Topology, build_layer

pytestmark = pytest.mark.slow

PINS = {INPUTS, OUTPUTS}
SPACE = "{http://www.w3.org/2000/svg}"


def kinds_of(hardware: Hardware) -> Counter[str]:
    """The kinds of components with how many there are, as the exported Verilog instantiates them."""
    instances = [name for made in to_verilog(hardware).instances.values() for name in made]
    return Counter(re.sub(r"_\d+$", "", name) for name in instances)


def assert_complete(hardware: Hardware) -> None:
    diagram = block_diagram(hardware)
    expected = kinds_of(hardware)
    assert {block.kind: block.instances for block in diagram.blocks} == expected
    memories = Counter(memory.role for memory in hardware.memories)
    deep = {memory.role: (memory.words, memory.word_bits) for memory in hardware.memories}
    for role, number in memories.items():
        block = next(block for block in diagram.blocks if block.kind == f"{role}_memory")
        assert (block.instances, block.words, block.word_bits) == (number, *deep[role])
    assert sum(block.is_memory for block in diagram.blocks) == len(memories)

    drawing = ElementTree.fromstring(svg(diagram, "An engine", name="it"))
    drawn = [group.get("data-kind") for group in drawing.iter(f"{SPACE}g") if group.get("data-kind")]
    assert sorted(filter(None, drawn)) == sorted({*expected, *PINS})
    ends = [head.get("data-link") for head in drawing.iter(f"{SPACE}polygon")]
    assert sorted(filter(None, ends)) == sorted(f"{link.source} {link.target}" for link in diagram.links)
    words = drawing.findtext(f"{SPACE}desc") or ""
    assert all(block.name in words for block in diagram.blocks)
    assert words == described(diagram)


@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=3)
@given(data=st.data())
def test_every_component_and_memory_of_any_engine_is_drawn_and_nothing_else(
    kind: str, data: st.DataObject
) -> None:
    case = data.draw(cases(kind, biases=True))
    assert_complete(case.engine.map(case.network).build())


def test_what_moves_an_engine_over_a_map_is_drawn_too() -> None:
    random = np.random.default_rng(0)
    images = random.random((20, 64), dtype=np.float32)
    first = PlacedLayers.convolution(random.normal(size=(4, 1, 3, 3)), rows=8, columns=8, stride=(2, 2))
    head = Topology((build_layer("dense", 4 * 3 * 3, 10),))
    last = PlacedLayers(Places.whole(4, 3, 3), head, (random.normal(size=(10, 36)),))
    network = PlacedNetwork("small", (first, last)).calibrated(images)
    hardware = a.Dense(pes=4).map(a.quantise(network, 8, 8)).build()
    assert_complete(hardware)
    kinds = {block.kind for block in block_diagram(hardware).blocks}
    assert {"places", "image_memory", "map_0_memory", "channel_memory", "segment_memory"} <= kinds


def design(engine: a.Engine, network: str) -> a.DesignPoint:
    return a.DesignPoint(network=network, engine=engine, technology="cmos65")


DESIGNS = {
    "csc": design(a.Csc(pes=16), "lenet-300-100-csc-x40"),
    "banked": design(a.Pruned(pes=16, gather="banked"), "lenet-300-100-pruned-x40"),
}


@pytest.fixture(params=DESIGNS)
def diagram(request: pytest.FixtureRequest) -> BlockDiagram:
    return diagram_of(DESIGNS[request.param])


def test_what_runs_where_is_read_off_the_hardware(diagram: BlockDiagram) -> None:
    links = {(link.source, link.target): link for link in diagram.links}
    fetched = links["weight_memory", "pe"]
    assert (fetched.wires, fetched.bits) == (16, 16 * 64)
    assert {"lane", "heard"} & {*links["route", "pe"].names}
    assert ("index_memory", "address") in links or all(b.kind != "index_memory" for b in diagram.blocks)
    assert "start" in links[INPUTS, "controller"].names


def test_boxes_stand_apart_and_lines_end_at_them(diagram: BlockDiagram) -> None:
    names = [INPUTS, *(block.kind for block in diagram.blocks), OUTPUTS]
    joined = {(link.source, link.target): 1 for link in diagram.links}
    layers = layered(names, joined, INPUTS, OUTPUTS)
    assert [place.name for place in layers.rows[0]] == [INPUTS]
    assert [place.name for place in layers.rows[-1] if not place.passes] == [OUTPUTS]
    assert crossings(layers) <= len(diagram.links)
    plan = routed(layers, lambda name: 100.0, 10.0)
    for row in layers.rows:
        for one, other in combinations(row, 2):
            assert abs(plan.x[one] - plan.x[other]) > (plan.widths[one] + plan.widths[other]) / 2
    for line, way in layers.ways.items():
        corners = plan.lines[line]
        for end, place, top in ((corners[0], way[0], BOX_HEIGHT), (corners[-1], way[-1], 0.0)):
            assert abs(end[0] - plan.x[place]) < plan.widths[place] / 2
            assert end[1] == plan.tops[place.layer] + top
        assert all(b[0] == c[0] or b[1] == c[1] for b, c in pairwise(corners))


def test_a_drawing_follows_from_the_hardware_alone(diagram: BlockDiagram) -> None:
    assert svg(diagram, "it", name="it") == svg(diagram, "it", name="it")


def test_the_command_writes_a_drawing(tmp_path: Path) -> None:
    (tmp_path / "design.yaml").write_text(
        "{network: lenet-300-100-csc-x40, engine: {kind: csc}, technology: cmos65}"
    )
    out = tmp_path / "csc.svg"
    done = CliRunner().invoke(main, ["draw", str(tmp_path / "design.yaml"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "10 kinds of blocks" in done.output
    assert ElementTree.fromstring(out.read_text(encoding="utf-8")).tag == f"{SPACE}svg"


def test_a_drawing_that_is_no_svg_is_refused(tmp_path: Path) -> None:
    (tmp_path / "design.yaml").write_text(
        "{network: lenet-300-100-csc-x40, engine: {kind: csc}, technology: cmos65}"
    )
    command = ["draw", str(tmp_path / "design.yaml"), "--out", str(tmp_path / "csc.png")]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2
    assert "csc.png', allowed are a file that ends in .svg" in done.output
