"""Comparisons of the technology with real ones: the ends that they set, and that the models give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.technology import Artix7, Asic, Cmos65, Ecp5, technology
from archsim.technology.asic.generic_cells import LIBRARY_FILE
from archsim.technology.evidence import (
    DYNAMIC_PARTS,
    EVIDENCE_TABLE,
    LEAKAGE,
    MEMORY_LEAKAGE,
    Bracket,
    Brackets,
    scaling_bracket,
)
from archsim.technology.quantity import load_table, read_text
from reports.documentation.evidence import computed

ROWS = load_table(EVIDENCE_TABLE).rows


def test_the_model_itself_lies_between_the_ends_and_so_does_every_comparison() -> None:
    for row in ROWS:
        if row["part"] == "scaling":
            bracket = scaling_bracket(row["metric"], 65, row["node_nm"])
        else:
            bracket = Cmos65().brackets.of(row["metric"])[row["part"]]
        assert bracket.low <= 1 <= bracket.high
        assert bracket.low <= row["real_over_model"] * 1.0000001
        assert row["real_over_model"] <= bracket.high * 1.0000001


def test_a_way_of_no_length_is_free_of_error_and_there_is_as_far_as_back() -> None:
    assert scaling_bracket("energy_j", 65, 65) == Bracket()
    down, up = (scaling_bracket("energy_j", *way) for way in ((65, 32), (32, 65)))
    assert down.ends == pytest.approx(up.ends)


def test_memories_are_compared_in_a_table_of_their_own() -> None:
    assert {row["part"] for row in ROWS} == {"compute", "logic", "scaling"}
    assert all("memory" not in parts for parts in Cmos65().brackets.parts.values())


def test_what_leaks_scales_as_what_it_is_made_from() -> None:
    scaled, native = (technology("cmos", node_nm=node_nm).brackets.of("leakage_w") for node_nm in (32, 45))
    assert scaled[MEMORY_LEAKAGE] == scaling_bracket("leakage_w", 45, 32) != scaled[LEAKAGE]
    assert set(native) == {LEAKAGE}, "its macros are of their own node"


def test_nobody_compared_a_library_of_the_user_or_what_has_no_power(tmp_path: Path) -> None:
    (tmp_path / LIBRARY_FILE).write_text(read_text(LIBRARY_FILE), encoding="utf-8")
    own = Asic(liberty=str(tmp_path / LIBRARY_FILE), node_nm=65)
    assert set(own.brackets.of("energy_j")) == {"memory"}
    assert Ecp5().brackets == Brackets()
    assert set(Artix7().brackets.of("energy_j")) == set(DYNAMIC_PARTS)


@pytest.mark.slow
def test_every_row_that_follows_from_the_models_is_what_they_give() -> None:
    stated = {(row["part"], row["metric"], row["compared"]): row["real_over_model"] for row in ROWS}
    for row, ratio in computed().items():
        assert ratio == pytest.approx(stated[row], rel=0.01), row


def test_macros_of_their_own_node_are_not_scaled() -> None:
    brackets = technology("cmos", node_nm=45).brackets
    assert brackets.shared["energy_j"]["memory"] == Bracket()
    assert brackets.shared["energy_j"]["logic"] != Bracket()
