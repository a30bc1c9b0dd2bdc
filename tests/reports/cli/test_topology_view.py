"""What `archsim topology` shows of a layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.reports.commands import archsim
from workloads.families import families


def told(*arguments: object) -> Any:
    done = archsim("topology", *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


CLOS = ("clos", "--in", 16, "--out", 12, "--set", "ingress=4", "--set", "middle=3", "--set", "egress=4")


def test_a_layer_is_told_in_figures() -> None:
    layer = told(*CLOS)
    assert layer["weights"] == 3 * (16 + 4 * 4 + 12)
    assert layer["compression"] == 16 * 12 / 132
    assert layer["depth"] == 3
    assert layer["paths"] == {"least": 3, "mean": 3, "most": 3}
    assert layer["fully_connected"] is True
    assert [stage["fan_in"]["mean"] for stage in layer["stages"]] == [4, 4, 3]
    assert [stage["fan_out"]["mean"] for stage in layer["stages"]] == [3, 4, 3]
    assert 0 < layer["score"]["solved"] <= layer["weights"]
    assert 0 < layer["degrees_of_freedom"] < layer["weights"]
    assert layer["notes"] == []


def test_a_layer_is_shown_as_a_table() -> None:
    shown = archsim("topology", *CLOS).stdout
    for words in ("clos, 16 to 12", "ingress", "1.45×", "fully connected", "yes", "block"):
        assert words in shown


def test_skips_add_paths_and_no_weights() -> None:
    plain = told("csc", "--in", 16, "--out", 16, "--set", "fan_in=4")
    skipped = told("csc", "--in", 16, "--out", 16, "--set", "fan_in=4", "--skips")
    assert skipped["weights"] == plain["weights"]
    assert skipped["paths"]["mean"] > plain["paths"]["mean"] == 1
    assert [stage["skipped"] for stage in skipped["stages"]] == [True, True]


def test_large_layers_leave_out_what_takes_long_and_say_so() -> None:
    layer = told("csc", "--in", 2048, "--out", 2048, "--set", "fan_in=4")
    assert layer["score"] is layer["degrees_of_freedom"] is None
    assert len(layer["notes"]) == 2
    assert layer["paths"] == {"least": 1, "mean": 1, "most": 1}
    assert "Degrees of freedom left out: stored weights are 45,056, and above 3,000" in layer["notes"][1]


def test_a_budget_chooses_the_parameters() -> None:
    layer = told("low-rank", "--in", 30, "--out", 20, "--weights", 160)
    assert layer["parameters"] == {"rank": 3}


def test_lists_and_arrays_are_parameters_too(tmp_path: Path) -> None:
    assert told("radix", "--in", 6, "--out", 6, "--set", "radices=[2, 3]")["weights"] == 30
    np.save(tmp_path / "mask.npy", np.eye(3))
    layer = told("pruned", "--in", 3, "--out", 3, "--set", f"mask={tmp_path / 'mask.npy'}")
    assert (layer["weights"], layer["fully_connected"]) == (3, False)
    assert layer["parameters"]["mask"] == np.eye(3).tolist()


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_wiring_is_drawn_and_drawn_the_same_again(suffix: str, tmp_path: Path) -> None:
    one, other = tmp_path / f"one.{suffix}", tmp_path / f"other.{suffix}"
    for path in (one, other):
        done = archsim("topology", *CLOS, "--skips", "--plot", path)
        assert done.exit_code == 0, done.output
        assert f"The wiring is drawn in {path}" in done.stdout
    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes().startswith(b"<?xml" if suffix == "svg" else b"\x89PNG")


def test_the_help_names_every_family() -> None:
    listed = " ".join(archsim("topology", "--help").stdout.split()).partition("FAMILY is one of: ")[2]
    assert set(listed.replace("- ", "-").split(", ")) == set(families)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("moebius", "--in", 4, "--out", 4), "family is 'moebius', allowed are benes, block-diagonal,"),
        (("csc", "--in", 4, "--out", 4), "parameter 'fan_in' of the csc family is missing"),
        (("csc", "--in", 4, "--out", 4, "--set", "fan_in"), "set is 'fan_in', allowed is NAME=VALUE"),
        (("csc", "--in", 4, "--out", 4, "--set", "fan_in=["), "value of fan_in is '[', allowed are a number"),
        (("csc", "--in", 4, "--out", 4, "--set", "fan_in=x"), "fan_in of a csc layer is 'x'"),
        (
            ("csc", "--in", 4, "--out", 4, "--set", "n_in=2"),
            "family is 'n_in', allowed are fan_in, depth",
        ),
        (
            ("csc", "--in", 4, "--out", 4, "--set", "fan_in=2", "--set", "fan_in=3"),
            "set names 'fan_in' twice",
        ),
        (("pruned", "--in", 4, "--out", 4, "--set", "mask=none.npy"), "value of mask is none.npy"),
        (("pruned", "--in", 4, "--out", 4, "--weights", 4), "family of a budget is 'pruned'"),
        (("csc", "--in", 4, "--out", 4, "--set", "fan_in=2", "--weights", 4), "allowed is one of the two"),
        (("csc", "--in", 0, "--out", 4), "--in"),
        (("dense", "--in", 100000, "--out", 100000), "stored weights of this dense layer are 10,000,000,000"),
        (
            ("dense", "--in", 4, "--out", 4, "--plot", "w.gif"),
            "plot is w.gif, allowed is a file that ends in",
        ),
        (("dense", "--in", 4, "--out", 4, "--plot", "no/where/w.svg"), "allowed is a file in a folder"),
    ],
)
def test_bad_input_ends_in_one_sentence_and_status_two(arguments: tuple[object, ...], said: str) -> None:
    done = archsim("topology", *arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
