"""Numbers for people."""

from __future__ import annotations

import pytest

from reports import formatting as f

THIN = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (6.78e-8, "J", "67.8 nJ"),
        (1.45e-5, "s", "14.5 µs"),
        (0.0046759, "W", "4.68 mW"),
        (1e8, "Hz", "100 MHz"),
        (0.9999, "W", "1.00 W"),
        (999.6e-9, "J", "1.00 µJ"),
        (0.0, "J", "0 J"),
        (1e-21, "J", "0.00000100 fJ"),
        (None, "s", "—"),
    ],
)
def test_a_value_takes_the_prefix_that_suits_it(value: float | None, unit: str, shown: str) -> None:
    assert f.scaled(value, unit) == shown.replace(" ", THIN)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.012345, "0.0123"),
        (1.2345, "1.23"),
        (9.999, "10.0"),
        (1234.5, "1,230"),
        (-3.14159, "-3.14"),
    ],
)
def test_three_digits_are_significant(value: float, shown: str) -> None:
    assert f.significant(value) == shown


def test_the_unit_follows_from_the_name_of_the_metric() -> None:
    assert f.metric("energy_j", 1e-9) == f"1.00{THIN}nJ"
    assert f.metric("area_mm2", 0.25) == f"0.250{THIN}mm²"
    assert f.metric("area_mm2", 1e-5) == f"10.0{THIN}µm²"
    assert f.unit_cost(2e-12, "J/word") == f"2.00{THIN}pJ/word"
    assert f.unit_cost(0.5, "mm2") == f"0.500{THIN}mm²"


def test_a_loss_of_accuracy_has_a_minus_sign() -> None:
    assert f.points(-0.0048) == f"−0.48{THIN}points"
    assert f.points(0.002) == f"+0.20{THIN}points"


def test_words_are_listed() -> None:
    assert f.listed(["a"]) == "a"
    assert f.listed(["a", "b", "c"]) == "a, b and c"
