"""The memories that sizes announce are those that the hardware has."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from archsim.engine import engines
from tests.strategies import cases

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=15)
@given(data=st.data())
def test_announced_memories_are_built(kind: str, data: st.DataObject) -> None:
    case = data.draw(cases(kind))
    mapping = case.engine.map(case.network)
    built = Counter((m.role, m.words, m.word_bits) for m in mapping.hardware.memories)
    announced = {
        (shape.role, shape.words, shape.word_bits): shape.number for shape in mapping.sizes.memory_shapes
    }
    assert built == announced
