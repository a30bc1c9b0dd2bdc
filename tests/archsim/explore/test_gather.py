"""Sweeps and files of results gathered into points, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.explore.gather import ResultsError, gather


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("cut.json", '{"format": "archsim result", "format_ver', "is no whole JSON"),
        ("other.json", '{"format": "a recipe"}', "allowed are archsim result"),
        ("old.json", '{"format": "archsim result", "format_version": 0}', "format_version"),
        ("lacks.json", '{"format": "archsim result", "format_version": 1, "design": {}}', "lacks 'fidelity'"),
        ("notes.txt", "", "folders of sweeps"),
        ("gone.json", None, "files that can be read"),
    ],
)
def test_what_holds_no_results_is_refused_in_a_sentence(
    tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ResultsError, match=said) as refused:
        gather([tmp_path / name])
    assert "\n" not in str(refused.value)


def test_a_folder_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"results\.sqlite"):
        gather([tmp_path])
