"""The text of a Liberty file is read as it is written, and a malformed one is refused by its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from archsim.technology.liberty.text import (
    Attribute,
    Group,
    LibertyError,
    liberty_text,
    parse_liberty,
    write_liberty,
)

words = st.from_regex(r"[A-Za-z0-9_+*.!&|^'-][A-Za-z0-9_+*.!&|^'-]{0,8}", fullmatch=True)
texts = st.text(st.sampled_from("abcAB 01,;:{}()/*'\\\n"), max_size=12).map(
    lambda text: '"' + text.replace("\\", "\\\\") + '"'
)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "include_file")
values = words | texts
attributes = st.builds(
    Attribute, names, st.lists(values, min_size=1, max_size=3).map(tuple), st.booleans()
) | st.builds(Attribute, names, st.just(()), st.just(True))
groups = st.recursive(
    st.builds(Group, names, st.lists(values, max_size=2).map(tuple)),
    lambda inner: st.builds(
        Group,
        names,
        st.lists(values, max_size=2).map(tuple),
        st.lists(attributes | inner, max_size=4).map(tuple),
    ),
    max_leaves=12,
)
libraries = st.builds(
    Group, st.just("library"), words.map(lambda w: (w,)), st.lists(attributes | groups, max_size=5).map(tuple)
)


@given(libraries)
def test_what_is_written_is_read_back(library: Group) -> None:
    assert parse_liberty(write_liberty(library)) == library


def test_comments_continuations_and_missing_semicolons_are_read_past() -> None:
    library = parse_liberty(
        """// a library
/* of
   two lines */ library ("odd") {
  define ("drive", cell, integer);
  define ("speed", cell, float);
  time_unit : "1ns" /* no semicolon */
  capacitive_load_unit \\
     (1, ff);
  comment : "a // b /* c */ ; }" ;
  values ("1, 2", \\
          "3, 4");
  long : "first \\
second";
  sum : VDD + 0.5 ;
  type (bus8) { bit_from : 7 ; bit_to : 0 }
  cell (A[3:0]) { }
}
"""
    )
    assert library.name == "odd"
    assert [
        each.values for each in library.statements if isinstance(each, Attribute) and each.name == "define"
    ] == [
        ('"drive"', "cell", "integer"),
        ('"speed"', "cell", "float"),
    ]
    assert library.text("time_unit") == "1ns"
    assert library.values("capacitive_load_unit") == ("1", "ff")
    assert library.text("comment") == "a // b /* c */ ; }"
    assert library.values("values") == ("1, 2", "3, 4")
    assert library.text("long").split() == ["first", "second"]
    assert library.text("sum") == "VDD + 0.5"
    bus, cell = library.groups()
    assert (bus.number("bit_from"), bus.number("bit_to")) == (7, 0)
    assert cell.name == "A[3:0]"
    assert cell.line == 16


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no complete library group"),
        ("cell (INV) { }", "holds no complete library group"),
        ("library (a) { } library (b) { }", "holds no complete library group"),
        ("library (a) {\n  cell (INV) {\n", "line 2: the bracket of cell is never closed"),
        ("library (a) {\n}\n}", "line 3: it closes a bracket it never opened"),
        ("library (a) {\n x : 1;\n y ( 1, 2; }", "line 3: the bracket of y is never closed"),
        ('library (a) {\n x : "1;\n}', "line 2: a quote is never closed"),
        ("library (a) {\n /* x : 1;\n}", "line 2: a comment is never closed"),
        ("library (a) {\n x 1;\n}", "line 2: it has 'x' where an attribute or a group is allowed"),
        ("library (a) {\n x : ;\n}", "line 2: x has no value"),
        ("library (a) {\n (1) ;\n}", r"line 2: it has '\(' where an attribute or a group is allowed"),
        ("library (a) {\n x : a\\b;\n}", "line 2: '.*' is out of place"),
        (
            'library (a) {\n\n include_file ("more.lib");\n}',
            'line 3: it includes the file "more.lib", allowed',
        ),
    ],
)
def test_a_malformed_text_is_refused_in_one_sentence_with_its_line(text: str, message: str) -> None:
    with pytest.raises(LibertyError, match=message) as refusal:
        parse_liberty(text)
    assert "\n" not in str(refusal.value)
    assert not str(refusal.value).endswith(".")


def test_a_number_that_is_none_is_refused_by_line_and_group() -> None:
    library = parse_liberty("library (a) {\n cell (INV) {\n  area : large;\n }\n}")
    with pytest.raises(LibertyError, match=r"line 3: area of cell \(INV\) is 'large', allowed is a number"):
        next(library.groups("cell")).number("area")


def test_a_compressed_file_is_known_by_its_content_and_not_its_name(tmp_path: Path) -> None:
    text = "library (a) { }\n"
    plain, packed = tmp_path / "plain.lib.gz", tmp_path / "packed.lib"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    assert liberty_text(plain) == liberty_text(packed) == text


def test_a_file_that_cannot_be_unpacked_or_read_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.lib"
    broken.write_bytes(gzip.compress(b"library (a) { }" * 99)[:40])
    for path in (broken, tmp_path, tmp_path / "nowhere.lib"):
        with pytest.raises(LibertyError, match=r"Liberty file .* cannot be read \(.+\), allowed is a text"):
            liberty_text(path)
