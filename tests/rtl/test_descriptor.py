"""Descriptors pack their fields, whole, into words of 32 bits."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from rtl import DescriptorFormat


@given(st.lists(st.integers(1, 32), min_size=1, max_size=12), st.data())
def test_every_field_comes_back(widths: list[int], data: st.DataObject) -> None:
    format_ = DescriptorFormat(tuple((f"f{i}", bits) for i, bits in enumerate(widths)))
    values = {f"f{i}": data.draw(st.integers(0, (1 << bits) - 1)) for i, bits in enumerate(widths)}
    words = format_.pack(values)
    assert len(words) == format_.words
    assert all(0 <= word < 1 << 32 for word in words)
    for name, (word, low, bits) in format_.places.items():
        assert words[word] >> low & ((1 << bits) - 1) == values[name]


def test_a_value_too_wide_for_its_field_is_refused() -> None:
    with pytest.raises(ValueError, match="descriptor field shift is 8, allowed are 0 to 7"):
        DescriptorFormat((("shift", 3),)).pack({"shift": 8})


def test_a_field_wider_than_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match="descriptor field wide has 33 bits, allowed are 1 to 32"):
        DescriptorFormat((("wide", 33),))
