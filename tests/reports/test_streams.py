"""Whatever standard output is, a command prints on it or says why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from reports.streams import IN_ASCII, in_ascii
from tests.reports.stand_ins import write_design

pytestmark = pytest.mark.slow

ENCODINGS = ["ascii", "latin-1", "cp1252", "utf-8"]
FULL = Path("/dev/full")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "archsim", *map(str, arguments)]


@given(st.text())
def test_every_text_has_an_ascii_form(text: str) -> None:
    assert in_ascii(text).isascii()


def test_what_our_output_uses_is_told_in_ascii() -> None:
    shown = "6.25\N{NARROW NO-BREAK SPACE}µm² — 0.94× to 1.50×, −3 ± 1, └ reads, naïve"
    assert in_ascii(shown) == "6.25 um2 - 0.94x to 1.50x, -3 +- 1, + reads, naive"
    assert all(form.isascii() for form in IN_ASCII.values())


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_table_prints_on_any_stream(tmp_path: Path, encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    design = write_design(tmp_path)
    for arguments in (("explain", design, "energy_j"), ("networks",)):
        done = subprocess.run(command(*arguments), capture_output=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"?" not in done.stdout
        done.stdout.decode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_plain_values_are_the_same_on_any_stream(tmp_path: Path, encoding: str) -> None:
    design = write_design(tmp_path, network=str(tmp_path / "网é.npz"))
    (tmp_path / "small.npz").rename(tmp_path / "网é.npz")
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command("simulate", design, "--json"), capture_output=True, env=environment)
    assert json.loads(done.stdout.decode(encoding))["design"]["network"].endswith("网é.npz")


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path: Path) -> None:
    ends, writes = os.pipe()
    os.close(ends)
    done = subprocess.run(command("networks"), stdout=writes, stderr=subprocess.PIPE, check=False)
    os.close(writes)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("arguments", [("networks",), ("networks", "--json"), ("schema",), ("--help",)])
def test_a_full_output_is_a_sentence(arguments: tuple[str, ...]) -> None:
    if not FULL.exists():
        pytest.skip("no device that is full")
    with FULL.open("wb") as full:
        done = subprocess.run(command(*arguments), stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"archsim: standard output")
    assert done.stderr.count(b"\n") == 1


def test_a_closed_output_is_no_error() -> None:
    shell = f'exec "{sys.executable}" -m archsim networks >&-'
    done = subprocess.run(["sh", "-c", shell], stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_switched_off(setting: dict[str, str]) -> None:
    script = f'"{sys.executable}" -m archsim networks'
    if subprocess.run(["sh", "-c", "command -v script"], capture_output=True, check=False).returncode:
        pytest.skip("script is not installed")
    environment = {**os.environ, "TERM": "xterm", **setting}
    done = subprocess.run(["script", "-qec", script, os.devnull], capture_output=True, env=environment)
    assert b"lenet-300-100-csc" in done.stdout
    assert not [part for part in done.stdout.split(b"\x1b[")[1:] if part[:2] in (b"31", b"32", b"33")]
