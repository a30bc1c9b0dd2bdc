"""What is looked at in a notebook is short, and what can be added is found by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workloads
from workloads import NetworkFileError, TrainedNetwork, load_network, load_recipe, networks
from workloads.families import families
from workloads.importers import importers

LONGEST = 200


@pytest.mark.parametrize("name", [*networks])
def test_a_network_and_all_that_it_is_made_of_fit_a_line_or_two(name: str) -> None:
    network = networks[name]
    integer = workloads.quantise(network, 8, 8)
    shown = [network, network.topology, network.calibration, integer, networks, families, load_recipe(name)]
    for value in (*shown, *network.topology.stages, *integer.stages, *families.values()):
        assert len(repr(value)) <= LONGEST, repr(value)
        assert "array(" not in repr(value)
    assert f"{network.stored_weights:,}" in repr(network)


def test_a_notebook_shows_a_network_as_a_table() -> None:
    table = networks["lenet-300-100-csc"]._repr_html_()
    assert table.startswith("<table>")
    assert "<th>stored weights</th><td>21,000</td>" in table
    assert "<th>layer 3</th><td>100 to 10: dense</td>" in table


def test_the_zoo_reads_a_network_once_and_says_what_there_is() -> None:
    assert networks["lenet-300-100-csc"] is load_network("lenet-300-100-csc")
    assert tuple(networks) == workloads.zoo_names()
    with pytest.raises(KeyError):
        networks["lenet-5"]


@pytest.fixture
def text_format() -> Iterator[None]:
    """A format of a user: a text file with the name of a network of the zoo."""

    class Text:
        def recognises(self, path: Any) -> bool:
            return bool(path.suffix == ".txt")

        def read(self, path: Any) -> TrainedNetwork:
            return networks[path.read_text()]

    importers.register("text")(Text)
    yield
    del importers._members["text"]


def test_a_format_that_is_added_is_read_and_one_that_is_not_is_refused(
    text_format: None, tmp_path: Path
) -> None:
    (tmp_path / "network.txt").write_text("lenet-300-100-csc")
    assert load_network(tmp_path / "network.txt") is networks["lenet-300-100-csc"]
    (tmp_path / "network.hdf5").write_bytes(np.zeros(9).tobytes())
    with pytest.raises(NetworkFileError, match=r"allowed are those of a format that is known: .*npz"):
        load_network(tmp_path / "network.hdf5")


def test_a_file_of_ours_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    network = networks["lenet-300-100-csc-x40"]
    network.save(tmp_path / "network.npz")
    (tmp_path / "network.npz").rename(tmp_path / "network")
    assert load_network(tmp_path / "network").name == network.name
