"""Liberty files of memory macros: what an access takes of them, or what they do not say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from archsim.technology.liberty.text import LibertyError
from archsim.technology.memories.macro_liberty import read_macros
from tests.archsim.technology.memory_macros import MACRO, WHEN, macro_file


def test_an_access_of_a_macro_is_its_clock_under_its_condition_and_half_of_the_pins(tmp_path: Path) -> None:
    (macro,) = read_macros(macro_file(tmp_path), WHEN, activity=0.5)
    assert (macro.name, macro.words, macro.word_bits, macro.ports) == ("RAM", 64, 4, "1rw")
    assert macro.figures == pytest.approx(
        {
            "area_mm2": 6e-4,
            "leakage_w": 50e-9,
            "read_energy_j": 12e-12 + 3 * 0.2e-12,
            "write_energy_j": 21e-12 + 3 * 0.2e-12 + 2 * 0.6e-12,
            "idle_energy_j": 0.5e-12,
            "access_time_s": 2.5e-9,
            "setup_s": 0.2e-9,
        }
    )


def test_conditions_hold_together_whatever_they_are_written_as(tmp_path: Path) -> None:
    (macro,) = read_macros(macro_file(tmp_path), WHEN, activity=0.5)
    (other,) = read_macros(
        macro_file(tmp_path), {"read": "(W' E)", "write": "W * E", "idle": "E'"}, activity=0.5
    )
    assert other.figures == macro.figures


def test_energies_without_a_condition_are_those_of_either_access(tmp_path: Path) -> None:
    head, _, rest = MACRO.partition("pin (CK)")
    clock = """pin (CK) { clock : true; internal_power () { rise_power (scalar) { values (7); } } }
    bus (Q)"""
    text = head + clock + rest.partition("bus (Q)")[2]
    (macro,) = read_macros(macro_file(tmp_path, text), {}, activity=0.0)
    assert macro.figures["read_energy_j"] == macro.figures["write_energy_j"] == pytest.approx(7e-12)
    assert "idle_energy_j" not in macro.figures


@pytest.mark.parametrize(
    ("text", "conditions", "message"),
    [
        (
            MACRO,
            {},
            "macro RAM: its clock takes energies under 3 conditions .*, allowed are memories",
        ),
        (
            MACRO,
            WHEN | {"read": "W & !W"},
            "macro RAM: read_when is 'W & !W', under which its clock",
        ),
        (MACRO, WHEN | {"read": "E &"}, "macro RAM: condition function is"),
        (
            MACRO.replace("memory ()", "memories ()"),
            WHEN,
            "holds no cell with a memory group",
        ),
        (
            MACRO.replace("address_width : 6", "address_width : 6.5"),
            WHEN,
            "address_width is 6.5, allowed is",
        ),
        (
            MACRO.replace("word_width : 4;", ""),
            WHEN,
            "word_width is missing, allowed is",
        ),
        (
            MACRO.replace("address_width : 6", "address_width : 600"),
            WHEN,
            "address_width is 600, allowed",
        ),
    ],
)
def test_a_macro_that_says_too_little_is_refused(
    text: str, conditions: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(LibertyError, match=message) as refused:
        read_macros(macro_file(tmp_path, text), conditions, activity=0.5)
    assert "\n" not in str(refused.value)


@settings(max_examples=150)
@given(st.integers(0, len(MACRO)), st.integers(1, 60), st.sampled_from(["", "}", "(", '"', "0", "x : y;"]))
def test_a_damaged_file_of_macros_is_read_or_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int, put: str
) -> None:
    path = tmp_path_factory.mktemp("macros") / "macros.lib"
    path.write_text(MACRO[:start] + put + MACRO[start + length :])
    said = ""
    try:
        assert all(macro.words * macro.word_bits for macro in read_macros(path, WHEN, activity=0.5))
    except LibertyError as refused:
        said = str(refused)
    assert "\n" not in said
    assert not said.endswith(".")
