"""The page on models of PyTorch and ONNX does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import archsim as a

PAGE = Path(__file__).parents[3] / "docs" / "frameworks.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
MOST_LINES = 10


@pytest.mark.slow
def test_a_pytorch_model_is_costed_in_ten_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    example, _ = EXAMPLES
    _, _, costed = example.partition("# Ten lines to the cost.\n")
    assert 5 < len([line for line in costed.splitlines() if line]) <= MOST_LINES
    names: dict[str, Any] = {}
    exec(compile(example, "example", "exec"), names)
    network, cost = names["network"], names["cost"]
    assert isinstance(cost, a.Result)
    assert cost.energy_j
    assert network.input_range[0] < 0
    assert network.stored_biases == 36
    assert network.accuracy["int8"] > 0.9
    assert any("softmax" in remark for remark in network.remarks)
    assert any("batch normalisation" in remark for remark in network.remarks)


@pytest.mark.slow
def test_layers_of_the_families_are_trained_and_costed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(EXAMPLES[1], "example", "exec"), names)
    network, cost = names["network"], names["cost"]
    assert isinstance(cost, a.Result)
    assert network.accuracy["float"] > 0.6
    assert a.quantise(network, 4, 8).weight_bits == 4
    assert cost.stored_weights == network.stored_weights < 64 * 74 / 1.5


def test_every_format_that_the_page_names_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    extras = set(re.findall(r"`archsim\[(\w+)\]`", text))
    assert extras == {"torch", "safetensors", "onnx"}
    project = (PAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert all(re.search(rf"^{extra} = \[", project, re.MULTILINE) for extra in extras)
