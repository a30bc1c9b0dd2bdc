"""Spaces of design points: what a file says is what its points are, and what it cannot say is refused."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, strategies as st

import archsim as a
from archsim.engine import engines
from archsim.explore.conditions import Condition, ConditionError
from archsim.explore.schema import sweep_schema
from archsim.explore.spec import MOST_POINTS, MOST_VALUES, Range, flat, nested, space_of
from archsim.explore.sweep.work import key_in
from tests.examples import EXAMPLES, SPACES

ZOO = EXAMPLES.parent / "workloads" / "zoo"
BASE = {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc"}, "technology": "cmos65"}

names = st.sampled_from(
    ["engine.pes", "engine.kind", "technology.device", "clock_hz", "inputs", "engine.a.b"]
)
plain = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
settings_of = st.dictionaries(names, plain, max_size=4)


@given(axes=st.dictionaries(names, st.lists(plain, min_size=1, max_size=3), max_size=4))
def test_every_value_of_an_axis_meets_every_value_of_all_others(axes: dict[str, list[Any]]) -> None:
    space = space_of({"axes": axes})
    points = list(space.points())
    assert len(points) == len(space)
    assert points == [space.point(number) for number in range(len(space))]
    chosen = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    assert points == [nested(one) for one in chosen]


@given(base=settings_of, entry=settings_of)
def test_a_point_can_be_changed_without_its_base(base: dict[str, Any], entry: dict[str, Any]) -> None:
    deep = nested(base)
    before = json.dumps(deep)
    nested(deep, entry)
    assert json.dumps(deep) == before


@given(settings=settings_of)
def test_what_is_set_by_its_name_is_there(settings: dict[str, Any]) -> None:
    # A field inside another one takes the other's place, or is taken along by it.
    kept = {name for name in settings if not any(other.startswith(f"{name}.") for other in settings)}
    fields = flat(nested(settings))
    assert {name: fields[name] for name in kept} == {name: settings[name] for name in kept}


@given(first=st.integers(-1000, 1000), many=st.integers(1, 50), step=st.integers(1, 9))
def test_a_range_has_both_of_its_ends(first: int, many: int, step: int) -> None:
    last = first + step * (many - 1)
    space = space_of({"axes": {"engine.pes": {"from": first, "to": last, "step": step}}})
    assert [point["engine"]["pes"] for point in space.points()] == [*range(first, last + 1, step)]


@given(first=st.floats(1e3, 1e8), ratio=st.floats(1, 100), points=st.integers(2, 20))
def test_a_logarithmic_range_has_equal_ratios(first: float, ratio: float, points: int) -> None:
    told = {"from": first, "to": first * ratio, "points": points, "scale": "log"}
    values = [point["clock_hz"] for point in space_of({"axes": {"clock_hz": told}}).points()]
    assert values[0] == pytest.approx(first)
    assert values[-1] == pytest.approx(first * ratio)
    steps = [later / earlier for earlier, later in itertools.pairwise(values)]
    assert steps == pytest.approx([ratio ** (1 / (points - 1))] * (points - 1))


def test_fields_go_together_entry_by_entry_and_field_by_field() -> None:
    by_entry = [{"engine.pes": 4, "clock_hz": 1e8}, {"engine.pes": 8, "clock_hz": 2e8}]
    by_field = {"zip": {"engine.pes": [4, 8], "clock_hz": {"from": 1e8, "to": 2e8, "points": 2}}}
    spaces = [space_of({"base": BASE, "axes": {"sides": sides}}) for sides in (by_entry, by_field)]
    assert list(spaces[0].points()) == list(spaces[1].points())
    assert len(spaces[0]) == 2


def test_only_points_of_which_the_conditions_hold_are_points() -> None:
    axes = {"engine.pes": [8, 64, 128], "technology": ["cmos65", "artix7"]}
    space = a.Space.of(base=BASE, axes=axes, where=["pes <= 64 if technology == artix7", "pes > 8"])
    points = [(point["engine"]["pes"], point["technology"]) for point in space.points()]
    assert points == [(64, "cmos65"), (64, "artix7"), (128, "cmos65")]


@pytest.mark.parametrize("technology", ["cmos65", {"kind": "cmos65"}])
@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("technology.kind == cmos65", True),
        ("technology == cmos65", True),
        ("cell_type == lstp", True),
        ("technology.kind == artix7", False),
    ],
)
def test_a_technology_is_asked_for_alike_by_name_and_in_full(
    technology: Any, condition: str, holds: bool
) -> None:
    space = a.Space.of(base=BASE | {"technology": technology}, axes={"engine.pes": [4]}, where=[condition])
    assert len(list(space.points())) == holds


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"axes": {"engine.pes": []}}, "at least one value"),
        ({"axes": {"engine.pes": 4}}, "a list of at least one value"),
        ({"axes": {"engine.pes": {"from": 8, "to": 4}}}, "up to 4, its end"),
        ({"axes": {"engine.pes": {"from": 0, "to": 4, "scale": "log", "points": 3}}}, "above 0"),
        ({"axes": {"engine.pes": {"from": 1, "to": 1e13}}}, "values"),
        ({"axes": {f"engine.{name}": [*range(1000)] for name in "abcd"}}, "1,000,000,000,000 points"),
        ({"axes": {"clock_hz": {"from": float("nan"), "to": 1e8}}}, "from is nan, allowed are -1e+30"),
        ({"axes": {"clock_hz": {"from": 1e6, "to": float("inf"), "points": 3}}}, "to is inf"),
        ({"axes": {"clock_hz": {"from": -1.7e308, "to": 1.7e308, "points": 3}}}, "from is -1.7e+308"),
        ({"axes": {"clock_hz": {"from": 5e-324, "to": 1e30, "points": 3, "scale": "log"}}}, "above 0"),
        ({"axes": {"engine.pes": {"from": "many", "to": 4}}}, "from is 'many', allowed are -1e+30"),
        ({"axes": {"engine.pes": {"from": 1, "to": 10**400}}}, "to is 1000"),
        ({"axes": {"engine.größe\n": [4], "größe": [1]}}, "sets 'größe'"),
        ({"axes": {"sides": {"zip": {"engine.pes": [4, 8], "clock_hz": [1e8]}}}}, "as many of each"),
        ({"axes": {"sides": {"zip": {}}}}, "a mapping of fields"),
        ({"axes": {"pes": [4]}}, "fields inside them"),
        ({"axes": {"engine.": [4]}}, "fields inside them"),
        ({"base": {"clock": 1e8}}, "fields inside them"),
        ({"base": {"clock_hz": float("nan")}}, "finite numbers"),
        ({"fidelity": "spice"}, "analytic, cycle, rtl"),
        ({"bases": {}}, "bases"),
        ({"where": ["pes <"]}, "comparisons of fields"),
        ({"where": ["pess < 4"]}, "pess is not"),
        ({"where": ["__import__('os')"]}, "comparisons of fields"),
    ],
    ids=str,
)
def test_a_wrong_spec_is_refused_in_a_sentence(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(a.Refusal, match="allowed") as caught:
        space_of(spec)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_space_that_is_too_large_is_refused_before_a_value_of_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def values(self: Range, name: str) -> tuple[float, ...]:
        raise AssertionError(f"the values of {name} were made")

    monkeypatch.setattr(Range, "values", values)
    most: dict[str, Any] = {"from": 1, "to": MOST_VALUES}
    for axes in (
        {"engine.pes": most, "engine.fetch_bits": most, "engine.banks": {**most, "to": 100}},
        {"sides": {"zip": {"engine.pes": most, "engine.banks": most}}, "engine.fetch_bits": most},
    ):
        with pytest.raises(a.Refusal, match=r"axes have .* points, allowed are up to 10,000,000"):
            space_of({"axes": axes})


@pytest.mark.parametrize("text", ["", "[]", "base: [1]", "axes: {", "\x00", "a: 1\na: 2", "- 1"])
def test_a_malformed_file_is_refused_in_a_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(a.Refusal, match="allowed") as caught:
        a.Space.from_file(tmp_path / "spec.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["zero_gating == false", "zero_gating in [false]", "not zero_gating", "true"]
)
def test_truths_are_written_as_in_yaml(text: str) -> None:
    assert Condition(text).holds({"engine.zero_gating": False})
    assert Condition(text).holds({"engine.zero_gating": True}) is (text == "true")


@given(text=st.text(max_size=40))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    # Nothing but a refusal is ever raised, and that is one line.
    with contextlib.suppress(ConditionError):
        Condition(text).holds({"engine.pes": 4, "network": "n"})


@given(pes=st.integers(1, 100), fpga=st.booleans())
def test_a_condition_means_what_python_means(pes: int, fpga: bool) -> None:
    fields = {"engine.pes": pes, "technology": "artix7" if fpga else "cmos65"}
    assert Condition("pes <= 64 if technology == artix7").holds(fields) == (pes <= 64 if fpga else True)
    assert Condition("2 < pes * 2 < 50 or technology in [cmos65]").holds(fields) == (
        2 < pes * 2 < 50 or not fpga
    )


def test_the_fastest_clock_is_what_the_critical_path_allows() -> None:
    point = BASE | {"clock_hz": "fastest"}
    result = a.DesignPoint(**point).simulate("analytic")
    assert result.critical_path_s is not None
    assert 0.999 < result.clock_hz * result.critical_path_s <= 1
    assert not [warning for warning in result.warnings if "clock" in warning]


def test_a_key_changes_with_what_is_in_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"1")
    point = {"network": "a.npz", "technology": {"kind": "asic", "lef": "*.lef"}}
    keys = {key_in(point, "gate", tmp_path), key_in(point, "cycle", tmp_path)}
    (tmp_path / "a.npz").write_bytes(b"22")
    keys.add(key_in(point, "gate", tmp_path))
    (tmp_path / "x.lef").write_bytes(b"1")
    keys.add(key_in(point, "gate", tmp_path))
    assert len(keys) == 4


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_an_example_meets_the_schema_that_is_shipped(path: Path) -> None:
    shipped = json.loads((EXAMPLES / "sweep.schema.json").read_text(encoding="utf-8"))
    assert shipped == json.loads(json.dumps(sweep_schema()))
    jsonschema.Draft202012Validator.check_schema(shipped)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=sweep.schema.json\n")
    jsonschema.validate(yaml.safe_load(text), shipped)
    assert len(a.Space.from_file(path)) < MOST_POINTS


def test_the_large_example_has_every_engine_family_and_size_of_the_papers_and_both_technologies() -> None:
    points = [*a.Space.from_file(EXAMPLES / "engines.yaml").points()]
    assert len(points) >= 4500
    assert {point["engine"]["kind"] for point in points} == set(engines)
    shipped = {path.stem for path in ZOO.glob("*.npz")}
    others = re.compile("-neighbours|-4bit|-x100")
    assert {point["network"] for point in points} == {name for name in shipped if not others.search(name)}
    assert {point["technology"] for point in points} == {"cmos65", "artix7"}
    for point in points[:: len(points) // 7]:
        result = a.DesignPoint(**point).simulate("analytic")
        assert result.accuracy is not None


@pytest.mark.parametrize(
    "spec",
    [
        {"axes": {"engine.pes": []}},
        {"axes": {"engine.pes": ["many"]}},
        {"base": {"clock": 1e8}},
        {"fidelity": "spice"},
        {"axes": {"clock_hz": {"from": 1e8}}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_a_sweep_refuses(spec: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spec, sweep_schema())


@pytest.mark.parametrize(
    ("text", "missed"),
    [
        ("energy_j <= 4", 0.0),
        ("energy_j <= 3", 0.25),
        ("energy_j >= 5", 0.2),
        ("energy_j < 4", 1e-9),
        ("energy_j <= 3 and area_mm2 <= 1", 0.125),
        ("energy_j <= 3 and area_mm2 <= 0.5", 0.375),
        ("energy_j <= 3 or area_mm2 <= 0.5", 0.25),
        ("not energy_j > 3", 0.25),
        ("energy_j <= 3 if technology == cmos65", 0.25),
        ("energy_j <= 3 if technology == artix7", 0.0),
        ("technology == artix7", 1.0),
        ("lut < 100", 1.0),
        ("lut * 2 < 100 or lut / 2 < 100", 1.0),
        ("-energy_j > energy_j", 1.0),
    ],
)
def test_a_condition_is_missed_by_a_share_of_what_it_compares(text: str, missed: float) -> None:
    fields = {"energy_j": 4.0, "area_mm2": 1.0, "technology": "cmos65", "lut": None}
    assert Condition(text).violation(fields) == pytest.approx(missed)
    assert (Condition(text).violation(fields) == 0) is Condition(text).holds(fields)
