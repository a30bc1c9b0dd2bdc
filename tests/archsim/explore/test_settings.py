"""A search over an engine's own parameters never ends worse than it began."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pydantic import ValidationError

from archsim import DesignPoint, Refusal, Result, engines
from archsim.costs.pricing import Bill
from archsim.engine.engine import AUTO
from archsim.explore.search.settings import KEPT, best, choices, energy_by_size, energy_by_size_at_throughput
from tests.reports.stand_ins import point, result, small_network, term


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("search") / "small.npz"
    small_network("csc").save(path)
    return str(path)


class Costs:
    """A stand-in for `simulate`: what hardware costs is drawn for each of its sizes, the same each time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seed: int, *, slow: str = "") -> None:
        self.seed, self.slow = seed, slow
        monkeypatch.setattr(DesignPoint, "simulate", lambda design, fidelity: self.result(design))

    def result(self, design: DesignPoint) -> Result:
        engine = design.mapping.engine
        drawn = random.Random(f"{self.seed} {vars(design.mapping.sizes)}").uniform(1, 2)
        bill = Bill(energy=(term("pe", drawn * 1e-9, "J"),), area=(term("pe", 0.1, "mm2"),))
        path_s = 1.0 if self.slow and getattr(engine, self.slow) is True else 1e-9
        return replace(result(point("cmos65", "csc")), bill=bill, critical_path_s=path_s)


def pruned(network: str, **options: object) -> DesignPoint:
    return DesignPoint(
        network=network, engine={"kind": "pruned", "pes": 2, **options}, technology={"kind": "cmos65"}
    )


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_no_change_of_one_parameter_is_better_and_the_default_is_not(network: str, seed: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        costs = Costs(monkeypatch, seed)
        design = pruned(network)
        found = best(design)
        least = energy_by_size(found.design, found.result)
        assert least <= energy_by_size(design, costs.result(design))
        parameters = found.design.engine.model_dump()
        for name, values in choices(design.engine).items():
            for value in values:
                try:
                    other = found.design.replace(engine={**parameters, name: value})
                    assert energy_by_size(other, costs.result(other)) >= least
                except Refusal:
                    continue
        assert AUTO not in parameters.values()


def test_only_the_parameters_that_are_named_change(monkeypatch: pytest.MonkeyPatch, network: str) -> None:
    Costs(monkeypatch, 1)
    design = pruned(network, fetch_bits=64)
    found = best(design, {"gather": ("replicated", "banked")})
    before, after = design.engine.settled("asic").model_dump(), found.design.engine.model_dump()
    assert {name for name in before if before[name] != after[name]} <= {"gather"}
    assert found.tried == 2


def test_settings_that_miss_the_clock_are_passed_over(monkeypatch: pytest.MonkeyPatch, network: str) -> None:
    for seed in range(8):
        Costs(monkeypatch, seed, slow="zero_gating")
        assert best(pruned(network)).design.engine.zero_gating is False


def test_another_objective_can_be_given(monkeypatch: pytest.MonkeyPatch, network: str) -> None:
    Costs(monkeypatch, 3)
    found = best(pruned(network), objective=lambda design, result: float(design.mapping.engine.fetch_bits))
    assert found.design.engine.fetch_bits == 8


def test_at_throughput_inputs_are_loaded_while_the_engine_runs() -> None:
    design = DesignPoint(network="lenet-300-100-csc", engine={"kind": "csc", "pes": 16}, technology="cmos65")
    over = {"input_buffer": (False, True)}
    found = best(design, over, energy_by_size_at_throughput)
    assert found.design.engine.input_buffer is True
    without = design.replace(engine={"kind": "csc", "pes": 16, "input_buffer": False})
    assert found.result.interval_s < 0.8 * without.simulate().interval_s


@pytest.mark.parametrize("kind", sorted(engines))
def test_what_may_change_is_what_an_engine_declares(kind: str) -> None:
    engine = engines[kind].model_validate({})
    known = choices(engine)
    assert set(known) == set(engines[kind].model_fields) - KEPT - {"kind"} - engine.unused
    assert known["fetch_bits"] == (8, 16, 32, 64, 128)
    assert known["input_buffer"] == (False, True)
    assert all(AUTO not in values for values in known.values())


@pytest.mark.parametrize("kind", sorted(engines))
def test_an_engine_takes_its_choices_or_refuses_them_in_a_sentence(kind: str) -> None:
    for name, values in choices(engines[kind].model_validate({})).items():
        taken = []
        for value in values:
            with suppress(ValidationError):
                taken.append(getattr(engines[kind].model_validate({name: value}), name))
        assert taken, name
        assert set(taken) <= set(values)


def test_a_design_whose_costs_nobody_can_tell_is_refused(
    monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    missing = {"energy_j": "nobody fitted it"}
    monkeypatch.setattr(
        DesignPoint, "simulate", lambda *_: replace(result(point("cmos65", "csc")), missing=missing)
    )
    with pytest.raises(Refusal, match="nobody fitted it"):
        best(pruned(network))


def test_the_model_itself_is_searched(network: str) -> None:
    design = DesignPoint(network=network, engine={"kind": "csc", "pes": 2}, technology="cmos65")
    found = best(design)
    first = energy_by_size(design, found.at_first)
    assert energy_by_size(found.design, found.result) <= first
    assert found.result == found.design.simulate("analytic")
