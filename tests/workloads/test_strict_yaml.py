"""YAML is read as it looks, and refused in a sentence where people and YAML would read differently."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from workloads.strict_yaml import YamlError, dump_yaml, parse_yaml, read_yaml

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1e8", 1e8), ("9e-1", 0.9), ("1E+3", 1e3), ("-1.5e-3", -0.0015), (".5", 0.5), ("1.", 1.0)),
        *(("16", 16), ("+1", 1), ("-0", 0), ("0x10", 16), ("0o17", 15), ("1_000", 1000), ("0.5", 0.5)),
        *(("1:30", "1:30"), ("12:30:45", "12:30:45"), ("2020-01-01", "2020-01-01"), ("100 MHz", "100 MHz")),
        *(("yes", "yes"), ("no", "no"), ("on", "on"), ("y", "y"), ("true", True), ("False", False)),
        *(("~", None), ("", None), ("null", None), ("'010'", "010"), ("=", "="), ("-.inf", -math.inf)),
    ],
)
def test_a_value_is_what_it_looks_like(text: str, value: Any) -> None:
    read = parse_yaml(f"a: {text}", "d.yaml")["a"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pes: 1\npes: 2", "gives pes twice, in line 1 and in line 2"),
        ("engine: {kind: csc, pes: 16, pes: 4}", "gives engine.pes twice, in line 1"),
        ("a:\n- b: 1\n  b: 2", "gives a.0.b twice, in line 2 and in line 3"),
        ("1: a\n1.0: b", "gives 1.0 twice"),
        ("a: 010", "has 010 at a in line 1, which some read as an octal number"),
        ("a: 08", "octal"),
        ("a:\n\t- 1", "is not YAML in line 2 (a tab stands where only blanks may)"),
        ("[a", "is not YAML in line 1"),
        ("--- 1\n--- 2", "is not YAML in line 2"),
        ("a: \x00", "has the character '\\x00' in line 1"),
        ("a: !!python/object:os.system x", "has the tag !!python/object:os.system at a in line 1"),
        ("a: !!int b", "has 'b' as !!int at a in line 1"),
        ("? [x]\n: 1", "has a list or mapping as a key of the top in line 1"),
        ("null: 1", "has the key 'null' at the top in line 1"),
        ("[" * 500, "nests too deeply in line 1"),
        ("&a [*a]", "refers to itself in line 1"),
        ("a: *b", "is not YAML in line 1 (found undefined alias 'b')"),
        (f"a: {'9' * 5000}", "has a number of 5000 digits at a in line 1"),
        (BOMB, "holds more than 200,000 values"),
    ],
)
def test_a_text_that_is_read_in_two_ways_is_refused(text: str, said: str) -> None:
    with pytest.raises(YamlError) as refused:
        parse_yaml(text, "d.yaml")
    message = str(refused.value)
    assert message.startswith("d.yaml ")
    assert said in message
    assert ", allowed " in message
    assert "\n" not in message


def test_a_merged_mapping_may_be_overridden() -> None:
    text = "base: &base {x: 1, y: 2}\nown:\n  <<: *base\n  x: 3"
    assert parse_yaml(text, "d.yaml")["own"] == {"x": 3, "y": 2}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_file_of_any_unicode_is_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "d.yaml"
    file.write_bytes("a: µ".encode(encoding))
    assert read_yaml(file, "design file") == {"a": "µ"}


def test_a_file_in_another_encoding_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "d.yaml"
    file.write_bytes("a: 1\nb: µ".encode("latin-1"))
    with pytest.raises(YamlError, match="has the byte 0xb5 in line 2, which is not utf-8, allowed is"):
        read_yaml(file, "design file")


@pytest.mark.parametrize("name", ["nowhere", ".", "\0"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(YamlError, match="cannot be read"):
        read_yaml(tmp_path / name, "design file")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert parse_yaml(dump_yaml(value), "d.yaml") == value


@given(st.text(alphabet="ab01.:-+eE_ox'\"[]{},&*!#\n\t <>?|%@~", max_size=30))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    said = ""
    try:
        parse_yaml(text, "d.yaml")
    except YamlError as refused:
        said = str(refused)
    assert "\n" not in said
