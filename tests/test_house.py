"""The house is easy to walk: imports point one way, and the public names are those that are announced."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import archsim

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "workloads": set(),
    "rtl": set(),
    "archsim": {"rtl", "workloads"},
    "reports": {"archsim", "rtl", "workloads"},
}


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_point_one_way(package: str) -> None:
    house = set(MAY_IMPORT)
    for path in (ROOT / package).rglob("*.py"):
        used = house & set(imported(path)) - {package}
        assert used <= MAY_IMPORT[package], f"{path.relative_to(ROOT)} imports {sorted(used)}"


def test_public_names_can_be_had() -> None:
    assert sorted(archsim.__all__) == sorted(archsim._HOME_OF)
    for name in archsim.__all__:
        assert getattr(archsim, name) is not None


def test_code_folders_are_those_of_the_design() -> None:
    folders = {p.parent.relative_to(ROOT).parts[0] for p in ROOT.glob("*/__init__.py")}
    assert folders == {"archsim", "rtl", "workloads", "reports", "tests"}
