"""YAML as it looks: the one reader of every YAML file, a user's or ours.

YAML 1.1, which PyYAML reads, turns `1e8` into text, `010` into 8, `1:30` into 90, `no` into false and the
second of two equal keys into the only one. Here `1e8` is a number, `010` is refused, the others are text, and
a key stands once. What is refused is refused in a sentence that names the place.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml

from workloads.refusal import Refusal
from workloads.text_files import read_text

MOST_DEEP = 40
"""How deeply lists and mappings may nest: far more than any file of ours does."""
MOST_NODES = 200_000
"""How many values a file may hold, those that it repeats by reference counted each time."""
MOST_DIGITS = 400
"""Of a number as it is written. The largest float has 309 before its point."""

_TAG = "tag:yaml.org,2002:"
_NUMBERS = {
    "int": re.compile(r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*|0x[0-9a-fA-F]+|0o[0-7]+)\Z"),
    "float": re.compile(
        r"[-+]?(?:(?:[0-9]+(?:_[0-9]+)*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z|[-+]?\.(?:inf|Inf|INF)\Z"
        r"|\.(?:nan|NaN|NAN)\Z"
    ),
}
_WORDS = {
    "null": re.compile(r"(?:~|null|Null|NULL|)\Z"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    "merge": re.compile(r"<<\Z"),
}
_ALLOWED = frozenset(_TAG + kind for kind in (*_NUMBERS, *_WORDS, "str", "seq", "map"))
_ENDS_OF_LINES = {"\x85", "\u2028", "\u2029"}
_OCTAL = re.compile(r"[-+]?0[0-9][0-9_]*\Z")


class YamlError(Refusal):
    """A text is no YAML, or says something in a way that people and YAML read differently."""


def read_yaml(path: Path, what: str, *, error: type[Refusal] = YamlError) -> Any:
    """What a YAML file holds. An `error` says in a sentence what is wrong; it calls the file `what`."""
    return parse_yaml(read_text(path, what, error=error), f"{what} {path}", error=error)


def parse_yaml(text: str, name: str, *, error: type[Refusal] = YamlError) -> Any:
    """What a text in YAML says, where people read the same; an `error` names the text by its `name`."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check(node, loader)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except _NotAllowed as refused:
        raise error(f"{name} {refused}") from None
    except yaml.MarkedYAMLError as problem:
        raise error(f"{name} is not YAML{_said(problem)}, allowed is a text in YAML") from None
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise error(
            f"{name} has the character {chr(problem.character)!r} in line {line}, allowed are characters "
            "that can be printed"
        ) from None


def dump_yaml(values: Any) -> str:
    """Plain values as a text in YAML that this reader, and one of YAML 1.1, reads back as they are."""
    text = yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    # Ends of lines that only Unicode knows are written as escapes.
    plain = not _ENDS_OF_LINES & set(text)
    return text if plain else yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=False)


def _said(problem: yaml.MarkedYAMLError) -> str:
    """What PyYAML found wrong and where, in a few words."""
    mark = problem.problem_mark or problem.context_mark
    place = f" in line {mark.line + 1}" if mark else ""
    said = " ".join(str(problem.problem or problem.context or "").split())
    if "'\\t'" in said:
        said = "a tab stands where only blanks may"
    return f"{place} ({said})" if said else place


class _NotAllowed(Refusal):
    """What a text holds that is YAML and yet refused, without the name of the text."""


class _Loader(yaml.SafeLoader):
    """PyYAML with the words and numbers of YAML 1.2, and no deeper than `MOST_DEEP`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # as in the base
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MOST_DEEP:
            line = self.line + 1
            raise _NotAllowed(f"nests too deeply in line {line}, allowed are {MOST_DEEP} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        return int(str(self.construct_scalar(node)).replace("_", ""), 0)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        text = str(self.construct_scalar(node)).replace("_", "").lower()
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))


class _Dumper(yaml.SafeDumper):
    """PyYAML's, which quotes what either version of YAML would not read as text."""


for _kind, _pattern in (_WORDS | _NUMBERS).items():
    _Loader.add_implicit_resolver(_TAG + _kind, _pattern, None)
    _Dumper.add_implicit_resolver(_TAG + _kind, _pattern, None)
_Loader.add_constructor(f"{_TAG}int", _Loader.construct_yaml_int)
_Loader.add_constructor(f"{_TAG}float", _Loader.construct_yaml_float)


def _check(root: yaml.Node, loader: _Loader) -> None:
    """Raises `_NotAllowed` for keys that stand twice, numbers that are read in two ways, tags, and references
    that grow without bound."""
    sizes: dict[yaml.Node, int] = {}
    open_nodes: set[yaml.Node] = set()

    def size(node: yaml.Node, path: tuple[str, ...]) -> int:
        line = node.start_mark.line + 1
        if node in open_nodes:
            raise _NotAllowed(f"refers to itself in line {line}, allowed are references to what is complete")
        if node not in sizes:
            open_nodes.add(node)
            _check_tag(node, path)
            sizes[node] = 1 + sum(size(part, below) for part, below in _parts(node, path, loader))
            open_nodes.remove(node)
        if sizes[node] > MOST_NODES:
            raise _NotAllowed(f"holds more than {MOST_NODES:,} values, allowed are fewer")
        return sizes[node]

    size(root, ())


def _parts(
    node: yaml.Node, path: tuple[str, ...], loader: _Loader
) -> Iterator[tuple[yaml.Node, tuple[str, ...]]]:
    """What a node holds, with its path; its keys are checked as it goes."""
    if isinstance(node, yaml.SequenceNode):
        yield from ((part, (*path, str(place))) for place, part in enumerate(node.value))
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[Hashable, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        place = ".".join(path) or "the top"
        if not isinstance(key, yaml.ScalarNode):
            raise _NotAllowed(f"has a list or mapping as a key of {place} in line {line}, allowed is text")
        _check_tag(key, path)
        if key.tag in (f"{_TAG}null", f"{_TAG}bool"):
            raise _NotAllowed(f"has the key {key.value!r} at {place} in line {line}, allowed is text")
        name = key.value if key.tag in (f"{_TAG}str", f"{_TAG}merge") else loader.construct_object(key)
        if name in lines:
            shown = ".".join((*path, str(key.value)))
            places = f"in line {lines[name]} and in line {line}" if lines[name] != line else f"in line {line}"
            raise _NotAllowed(f"gives {shown} twice, {places}, allowed is once")
        lines[name] = line
        yield value, (*path, str(key.value))


def _check_tag(node: yaml.Node, path: tuple[str, ...]) -> None:
    place = f"{'.'.join(path) or 'the top'} in line {node.start_mark.line + 1}"
    if node.tag not in _ALLOWED:
        raise _NotAllowed(f"has the tag {node.tag.replace(_TAG, '!!')} at {place}, allowed is none")
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return
    kind = node.tag.removeprefix(_TAG)
    if kind == "str":
        return
    if _OCTAL.match(node.value):
        raise _NotAllowed(
            f"has {node.value} at {place}, which some read as an octal number, allowed is a number without "
            "zeros in front"
        )
    if len(node.value) > MOST_DIGITS:
        raise _NotAllowed(f"has a number of {len(node.value)} digits at {place}, allowed are {MOST_DIGITS}")
    patterns = {**_WORDS, **_NUMBERS}
    if not patterns.get(kind, re.compile("")).match(node.value):
        raise _NotAllowed(f"has {node.value!r} as !!{kind} at {place}, allowed is what is one")
