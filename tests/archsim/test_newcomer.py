"""An engine is two files and one registration: what the project does not know runs at every fidelity."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies as st

import archsim as a
from archsim.calibration.plan import PLANS, draw, draw_small
from archsim.engine import engines
from archsim.verification import verify
from reports.diagram.pages import shown_engines
from rtl import to_verilog
from tests.strategies import cases

KIND = "countdown"


@pytest.fixture(autouse=True, scope="module")
def newcomer() -> Iterator[None]:
    """The newcomer's two files are imported, and forgotten afterwards."""
    engines.find()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "_members", dict(engines))
        importlib.import_module("archsim_example.countdown")
        yield


@settings(max_examples=15)
@given(data=st.data())
def test_a_newcomer_agrees_with_its_hardware(data: st.DataObject) -> None:
    case = data.draw(cases(KIND))
    verification = verify(case.engine.map(case.network), inputs=2, seed=data.draw(st.integers(0, 99)))
    assert verification.agrees, [str(difference) for difference in verification.differences]


def test_a_design_point_takes_a_newcomer() -> None:
    design = a.DesignPoint(network="lenet-300-100-dense", engine={"kind": KIND}, technology="cmos65")
    known = design.replace(engine=a.Dense())
    assert design.mapping.count() == design.mapping.simulate()
    assert design.mapping.count().macs == known.mapping.count().macs
    assert "module pe " in to_verilog(design.mapping.hardware).text


def test_a_newcomer_has_its_block_diagram_in_the_documentation() -> None:
    shown = {engine.title: engine for engine in shown_engines.__wrapped__()}
    drawing = shown[KIND].drawing
    assert "The countdown engine, 16 PEs" in drawing
    assert {'data-kind="address"', 'data-kind="weight_memory"'} <= set(
        re.findall(r'data-kind="\w+"', drawing)
    )


def test_a_newcomer_is_calibrated_after_the_others_and_moves_none_of_them() -> None:
    with_newcomer = draw(PLANS["cmos65"], "held_out")
    small = [each.engine.kind for each in draw_small(8, 8)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "_members", {name: engines[name] for name in engines if name != KIND})
        without = draw(PLANS["cmos65"], "held_out")
    added = [each for each in with_newcomer if each.engine.kind == KIND]
    assert [each for each in with_newcomer if each.engine.kind != KIND] == without
    assert len({each.map().sizes for each in added}) == len(added) == 6
    assert small == ["dense", "csc", "clos", "pruned", "pruned", "pruned", KIND, "eie"]
