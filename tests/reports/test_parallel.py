"""Many design points in a few processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim import DesignPoint, FidelityError
from reports.parallel import simulate_all
from tests.reports.stand_ins import write_design


def test_results_come_in_the_order_of_the_designs_and_equal_those_of_one_process(tmp_path: Path) -> None:
    design = DesignPoint.from_file(write_design(tmp_path))
    designs = {
        "asic": design,
        "one PE": design.replace(engine={"kind": "csc", "pes": 1}),
        "fpga": design.replace(technology="artix7"),
    }
    found = simulate_all(designs, "analytic", progress=False)
    assert list(found) == list(designs)
    assert found == {name: each.simulate("analytic") for name, each in designs.items()}


def test_an_error_of_a_design_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(FidelityError, match="guess"):
        simulate_all({"a": DesignPoint.from_file(write_design(tmp_path))}, "guess", progress=False)
