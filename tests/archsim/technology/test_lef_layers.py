"""The capacitance of wires by the layers of LEF files, and who else may state it."""

from __future__ import annotations

import gzip
import os
from functools import partial
from pathlib import Path

import pytest

from archsim.technology import Asic, Cmos65
from archsim.technology.lef_layers import Layer, mean_f_per_um, read_layers, signal_layers
from archsim.technology.quantity import Quantity
from tests.archsim.technology.small_library import library
from tests.archsim.test_own_process import FOLDER_VARIABLE, needs_the_process
from workloads.refusal import Refusal

LAYER = """
LAYER {name}
  TYPE ROUTING ;
  DIRECTION HORIZONTAL ;
  MAXWIDTH 30 ;
  WIDTH {width} ;  # of a wire
  SPACINGTABLE
  PARALLELRUNLENGTH 0.00 1.00
  WIDTH 0.00 0.21 0.21
  WIDTH 0.39 0.21 0.24 ;
  MINIMUMCUT 2 WIDTH 1.4 ;
  CAPACITANCE CPERSQDIST {area} ;
  EDGECAPACITANCE {edge} ;
END {name}
"""
CUT = "LAYER Via\n  TYPE CUT ;\n  WIDTH 0.19 ;\nEND Via\n"
SITE = "SITE core\n  SIZE 0.5 BY 2 ;\nEND core\nMACRO ND2\n  SIZE 1.5 BY 2 ;\n  SITE core ;\nEND ND2\n"
IHP_METAL_2 = 1e-12 * (1.81e-5 * 0.20 + 2 * 4.47e-5)


def layer(name: str, width: object = 0.20, area: object = 1.81e-5, edge: object = 4.47e-5) -> str:
    return LAYER.format(name=name, width=width, area=area, edge=edge)


def written(folder: Path, text: str, name: str = "tech.lef") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def wire(technology: Asic) -> Quantity:
    """What it says of a um of wire, among its numbers."""
    (told,) = (one for one in technology.provenance() if one.name.endswith("wire_capacitance_f_per_um"))
    return told


def test_a_wire_has_its_area_and_both_of_its_edges(tmp_path: Path) -> None:
    text = "VERSION 5.7 ;\n" + CUT + layer("M1", width=0.16) + layer("M2")
    packed = tmp_path / "tech.lef.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (written(tmp_path, text), packed):
        first, second = read_layers([path])
        assert (first.name, first.width_um, second.name) == ("M1", 0.16, "M2")
        assert second.f_per_um == pytest.approx(IHP_METAL_2)
        assert second.f_per_um == pytest.approx(9.302e-17)


@needs_the_process
def test_signals_of_a_real_process_use_its_four_thin_upper_metals() -> None:
    path = Path(os.environ[FOLDER_VARIABLE]) / "sg13g2_tech.lef.gz"
    layers = signal_layers(read_layers([path]))
    assert [one.name for one in layers] == ["Metal2", "Metal3", "Metal4", "Metal5"]
    assert mean_f_per_um(layers) == pytest.approx(9.141e-17, rel=1e-4)


def test_signals_use_neither_the_first_layer_nor_wide_ones_nor_those_that_state_nothing() -> None:
    widths = {"M1": 0.16, "M2": 0.2, "M3": 0.5, "M4": 0.2, "M5": 0.61}
    layers = [Layer(name, width, None if name == "M4" else 1e-16) for name, width in widths.items()]
    assert [one.name for one in signal_layers(layers)] == ["M2", "M3"]
    assert signal_layers(layers[:1]) == signal_layers([]) == ()
    assert mean_f_per_um([Layer("A", 1, 1e-16), Layer("B", 1, 3e-16), Layer("C", 1, None)]) == 2e-16


def test_a_layer_that_states_no_capacitance_or_none_but_zero_tells_nothing(tmp_path: Path) -> None:
    half = "LAYER M2\n  TYPE ROUTING ;\n  WIDTH 0.2 ;\n  CAPACITANCE CPERSQDIST 1e-5 ;\nEND M2\n"
    for text in (half, layer("M2", area=0, edge=0)):
        assert [one.f_per_um for one in read_layers([written(tmp_path, text)])] == [None]
    both = [written(tmp_path, half), written(tmp_path, layer("M2"), "later.lef")]
    assert [one.f_per_um for one in read_layers(both)] == [pytest.approx(IHP_METAL_2)]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"width": 0}, "tech.lef', whose layer M2 has WIDTH '0', allowed are numbers above 0$"),
        ({"width": "wide"}, "whose layer M2 has WIDTH 'wide', allowed are numbers above 0$"),
        ({"width": "nan"}, "whose layer M2 has WIDTH 'nan', allowed are numbers above 0$"),
        ({"area": -1e-5}, "has CAPACITANCE CPERSQDIST '-1e-05', allowed are numbers of 0 or more$"),
        ({"edge": "much"}, "has EDGECAPACITANCE 'much', allowed are numbers of 0 or more$"),
        ({"edge": "inf"}, "has EDGECAPACITANCE 'inf', allowed are numbers of 0 or more$"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(changed: dict[str, object], message: str, tmp_path: Path) -> None:
    lef = (str(written(tmp_path, layer("M1") + layer("M2", **changed))), _cells(tmp_path))
    with pytest.raises(Refusal, match=message):
        _ = Asic(liberty=_liberty(tmp_path), lef=lef, node_nm=65).wiring


def test_wires_follow_the_option_then_the_layers_then_the_project(tmp_path: Path) -> None:
    cells, given = _cells(tmp_path), partial(Asic, liberty=_liberty(tmp_path), node_nm=65)
    ours, rules = Cmos65().wiring.f_per_um, str(written(tmp_path, layer("M1") + layer("M2")))
    plain, outlined, ruled, told = (
        given(),
        given(lef=cells),
        given(lef=(rules, cells)),
        given(lef=(rules, cells), wire_capacitance_f_per_um=1.73e-16),
    )
    for one, f_per_um, kind, source in (
        (plain, ours, "assumed", "no file states the capacitance of layers; as at 65 nm: N. Weste"),
        (outlined, ours, "assumed", "no file states the capacitance of layers; as at 65 nm: N. Weste"),
        (ruled, IHP_METAL_2, "published", "of the layers M2 in"),
        (told, 1.73e-16, "assumed", "given in the design point"),
    ):
        assert one.wiring.f_per_um == pytest.approx(f_per_um)
        by_pitch = plain.wiring.capacitance_f_per_sink * f_per_um / ours
        assert one.wiring.capacitance_f_per_sink == pytest.approx(by_pitch)
        assert wire(one).value == pytest.approx(f_per_um)
        assert wire(one).kind == kind
        assert source in wire(one).source
        assert any("which state a wire by itself" in warning for warning in one.warnings) == (one is ruled)
        assert Asic(**one.options()) == one


def _liberty(folder: Path) -> str:
    return str(written(folder, library(), "own.lib"))


def _cells(folder: Path) -> str:
    return str(written(folder, SITE, "cells.lef"))
