"""A whole real process, IHP SG13G2 as it is published, priced at the gates; and the examples of one's own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import archsim as a
from archsim.design import technology_of_file
from archsim.technology import Asic
from archsim.technology.memories.bracket import MACROS_TABLE
from archsim.technology.memories.macro_table import read_table
from archsim.technology.quantity import load_table
from tests.archsim.technology.small_library import library
from tests.reports.stand_ins import write_design

EXAMPLES = Path(__file__).parents[2] / "examples" / "own_process"
FOLDER_VARIABLE = "ARCHSIM_IHP_PDK"
needs_the_process = pytest.mark.skipif(
    FOLDER_VARIABLE not in os.environ, reason=f"{FOLDER_VARIABLE} names no folder of the process"
)


@pytest.fixture
def design(tmp_path: Path) -> a.DesignPoint:
    """The example, with the files where it looks for them."""
    (tmp_path / "ihp-sg13g2").symlink_to(Path(os.environ[FOLDER_VARIABLE]).resolve())
    shutil.copy(EXAMPLES / "ihp-sg13g2.yaml", tmp_path)
    return a.DesignPoint.from_file(tmp_path / "ihp-sg13g2.yaml")


@needs_the_process
def test_the_memories_of_the_process_are_its_own_macros_as_its_files_state_them(
    design: a.DesignPoint,
) -> None:
    technology = design.technology
    assert isinstance(technology, Asic)
    assert technology.native_memory_nm is None
    macros = {(macro.words, macro.word_bits): macro.figures for macro in technology.macros}
    rows = load_table(MACROS_TABLE).rows
    assert len(macros) == len(rows) == 10
    for row in rows:
        figures = macros[row["words"], row["word_bits"]]
        for name in ("area_mm2", "leakage_w", "read_energy_j", "access_time_s", "setup_s"):
            assert figures[name] == pytest.approx(row[name], rel=1e-5), (row, name)
        # The table takes the energy of a data pin for that of the bus; the file, read as it stands, has more.
        assert 1 <= figures["write_energy_j"] / row["write_energy_j"] < 1.11
        assert figures["idle_energy_j"] == 0


@needs_the_process
def test_all_of_its_flops_have_a_reset_which_is_held_at_rest(design: a.DesignPoint) -> None:
    technology = design.technology
    assert isinstance(technology, Asic)
    library = technology.library
    assert library.tied
    flop = library.flop(enable=False)
    assert flop.tied == {"RESET_B": True}
    assert flop.area_um2 == pytest.approx(47.17, abs=2)
    assert library.clock_gate is not None
    assert library.full_adder is None


@pytest.mark.slow
@needs_the_process
def test_an_engine_is_priced_at_the_gates_of_a_process_in_which_nothing_is_scaled(
    design: a.DesignPoint,
) -> None:
    result, ours = design.simulate("gate"), design.replace(technology="cmos65").simulate("gate")
    assert result.counts == ours.counts
    assert result.technology_error == {}
    assert not any("CACTI" in term.source for term in result.terms("energy_j"))
    assert any(term.source.startswith("RM_IHPSG13_1P_") for term in result.terms("area_mm2"))
    assert any("placing is expected" in text for text in result.warnings)
    ratios = {
        name: result.cost(name) / ours.cost(name) for name in ("energy_j", "area_mm2", "critical_path_s")
    }
    # From 65 to 130 nm areas grow by 4.3 and energies by 2.5 in cells; memories are real, and few in size.
    assert 4 < ratios["area_mm2"] < 30
    assert 3 < ratios["energy_j"] < 15
    assert 1.2 < ratios["critical_path_s"] < 3


def test_the_table_of_macros_among_the_examples_is_that_of_the_foundry() -> None:
    rows = {(row["words"], row["word_bits"]): row for row in load_table(MACROS_TABLE).rows}
    macros = read_table(EXAMPLES / "macros.csv")
    assert len(macros) == 3
    for macro in macros:
        for name, value in macro.figures.items():
            assert value == pytest.approx(rows[macro.words, macro.word_bits][name], rel=1e-5)


def test_a_technology_is_read_from_a_file_of_its_own_or_from_a_design(tmp_path: Path) -> None:
    (tmp_path / "own.lib").write_text(library())
    alone = tmp_path / "technology.yaml"
    alone.write_text("kind: asic\nliberty: own.lib\nnode_nm: 65\n")
    given = {"kind": "asic", "liberty": "own.lib", "node_nm": 65}
    made = technology_of_file(alone)
    assert made == technology_of_file(write_design(tmp_path, technology=given))
    assert isinstance(made, Asic)
    assert made.liberty == str(tmp_path / "own.lib")
    assert technology_of_file(write_design(tmp_path)) == a.Cmos65()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("liberty: own.lib\n", "technology is .*, allowed is a mapping with a kind: artix7, asic"),
        ("kind: silicon\n", "technology is of kind 'silicon', allowed are artix7, asic"),
        ("kind: asic\nnode_nm: 65\n", "technology.liberty is missing, it must be given"),
        ("", "technology is None, allowed is a mapping with a kind"),
        ("kind: [\n", "technology file .* is not YAML"),
    ],
)
def test_a_file_that_describes_no_technology_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "technology.yaml"
    path.write_text(text)
    with pytest.raises(a.DesignError, match=message):
        technology_of_file(path)
