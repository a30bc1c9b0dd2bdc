"""The commit that plain values name: that of the checkout, however git keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.costs.plain import commit, heading

NAME = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    return tmp_path


def test_a_branch_is_looked_up(checkout: Path) -> None:
    assert commit(checkout) is None
    commit.cache_clear()
    (checkout / ".git" / "packed-refs").write_text(f"# pack-refs\n{NAME} refs/heads/main\n")
    assert commit(checkout) == NAME


def test_a_loose_branch_comes_before_a_packed_one(checkout: Path) -> None:
    (checkout / ".git" / "packed-refs").write_text(f"{NAME} refs/heads/main\n")
    (checkout / ".git" / "refs" / "heads").mkdir(parents=True)
    (checkout / ".git" / "refs" / "heads" / "main").write_text(f"{NAME[::-1]}\n")
    assert commit(checkout) == NAME[::-1]


def test_a_further_working_tree_finds_its_own_head(checkout: Path) -> None:
    own = checkout / ".git" / "worktrees" / "other"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/other\n")
    (own / "commondir").write_text("../..\n")
    (checkout / ".git" / "packed-refs").write_text(f"{NAME} refs/heads/other\n")
    tree = checkout / "tree"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {own}\n")
    assert commit(tree) == NAME


def test_without_a_checkout_there_is_none(tmp_path: Path) -> None:
    assert commit(tmp_path) is None


def test_a_heading_says_who_wrote_it() -> None:
    assert list(heading("archsim thing")) == ["format", "format_version", "archsim_version", "commit"]
