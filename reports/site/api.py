"""The public names of `archsim` from their docstrings, signatures and schemas: a page for each subject.

The names are those that `archsim/__init__.pyi` announces, and a name's subject is where it lives.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import archsim

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "Design points and results": (
        "archsim.design",
        "archsim.costs",
        "archsim.comparison",
        "archsim.accuracy",
        "archsim.verification",
    ),
    "Many design points": ("archsim.explore",),
    "Engines": ("archsim.engine",),
    "Technologies": ("archsim.technology",),
    "Networks, data and training": ("workloads",),
}
"""Where the names of each subject live."""

OTHERS = "Other names"
"""The subject of what lives elsewhere."""

OURS = ("archsim", "workloads", "rtl", "reports")


def homes() -> dict[str, str]:
    """The module in which each public name lives, in the order in which they are announced."""
    stub = ast.parse(Path(archsim.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def names_by_subject() -> dict[str, list[str]]:
    """Every public name once, by subject."""
    told: dict[str, list[str]] = {subject: [] for subject in (*SUBJECTS, OTHERS)}
    for name, home in homes().items():
        beginnings = {subject: places for subject, places in SUBJECTS.items() if home.startswith(places)}
        told[next(iter(beginnings), OTHERS)].append(name)
    return {subject: sorted(names, key=_rank) for subject, names in told.items() if names}


def _rank(name: str) -> int:
    """Classes come first, then functions, then what there is of each kind, then errors."""
    value = getattr(archsim, name)
    if isinstance(value, type):
        return 3 if issubclass(value, BaseException) else 0
    return 1 if _is_function(value) else 2


def _is_function(value: Any) -> bool:
    return callable(value) and inspect.isfunction(inspect.unwrap(value))


def api_pages() -> dict[str, str]:
    """The pages of the API in Markdown, by their place in the site."""
    subjects = names_by_subject()
    file = {subject: f"api/{re.sub('[^a-z]+', '-', subject.lower())}.md" for subject in subjects}
    made = {file[subject]: _page(subject, names) for subject, names in subjects.items()}
    listed = "\n".join(
        f"- **[{subject}]({Path(file[subject]).name})**: "
        + ", ".join(f"[`{name}`]({Path(file[subject]).name}#{anchor})" for name, anchor in anchors(names))
        for subject, names in subjects.items()
    )
    first = f"# The API\n\nAll of it is had by `import archsim as a`.\n\n{listed}\n"
    return {"api/index.md": first, **made}


def anchors(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names of a page with the anchors of their headings, which are in lower case."""
    used: Counter[str] = Counter()
    for name in names:
        low = name.lower()
        yield name, f"{low}-{used[low]}" if used[low] else low
        used[low] += 1


def _page(subject: str, names: list[str]) -> str:
    return "\n\n".join([f"# {subject}", *map(entry, names)]) + "\n"


def entry(name: str) -> str:
    """A public name: its signature, what it says of itself, its fields and members."""
    value, home = getattr(archsim, name), homes()[name]
    heading = f"## {name}"
    if isinstance(value, type):
        return "\n\n".join([heading, *_class(name, value)])
    if _is_function(value):
        return "\n\n".join([heading, _code(f"{name}{signature(value)}"), prose_of(value.__doc__)])
    said = _said_below(home, name) or (type(value).__doc__ if _is_ours(type(value)) else "")
    return "\n\n".join([heading, prose_of(said), *_members_of(value)])


def _is_ours(made: type) -> bool:
    return made.__module__.startswith(OURS)


def _public_bases(made: type) -> list[str]:
    """The public names of what a class derives from, nearest first."""
    public = {getattr(archsim, name): name for name in homes() if isinstance(getattr(archsim, name), type)}
    return [public[base] for base in made.__mro__[1:] if base in public]


def _class(name: str, made: type) -> Iterator[str]:
    bases = _public_bases(made)
    table = list(_fields(made, {field for base in bases for field in _field_names(getattr(archsim, base))}))
    derived = f"({bases[0]})" if bases else ""
    if issubclass(made, BaseException) or table or derived:
        yield _code(f"class {name}{derived}")
    else:
        yield _code(f"class {name}{signature(made)}")
    yield prose_of(made.__doc__)
    if table:
        yield "\n".join(["| field | what it may be | default |", "|---|---|---|", *table])
    if bases and not issubclass(made, BaseException):
        yield f"Further fields and members are those of [`{bases[0]}`](#{bases[0].lower()})."
    if not issubclass(made, BaseException):
        yield from _members(made, {member for base in bases for member in dir(getattr(archsim, base))})


def _members(made: type, known: set[str]) -> Iterator[str]:
    """The methods and properties of a class that are public, apart from those that are known; those that say
    nothing of themselves in one line."""
    silent = []
    for name in vars(made):
        if name.startswith("_") or name in known or (member := _member(made, name)) is None:
            continue
        shown, said = member
        if said:
            yield f"`{shown}`\n:   {prose_of(said)}".replace("\n\n", "\n\n    ")
        else:
            silent.append(f"`{shown}`")
    if silent:
        yield f"Also {', '.join(silent)}."


def _member(made: type, name: str) -> tuple[str, str] | None:
    """How a method or property is written, and what it says of itself; None for what is neither."""
    value = inspect.getattr_static(made, name)
    if isinstance(value, property | cached_property):
        getter = value.fget if isinstance(value, property) else value.func
        assert getter is not None
        returned = _plain(str(inspect.signature(getter).return_annotation))
        return f"{name}: {returned}", getter.__doc__ or ""
    function = getattr(value, "__func__", value)
    if not inspect.isfunction(function):
        return None
    return f"{name}{signature(function)}", function.__doc__ or ""


def _field_names(made: type) -> list[str]:
    if issubclass(made, BaseModel):
        return list(made.model_fields)
    return [field.name for field in fields(made)] if is_dataclass(made) else []


def _fields(made: type, known: set[str]) -> Iterator[str]:
    """The rows of a table of the fields that a value of this class has, apart from those that are known."""
    if issubclass(made, BaseModel):
        described = made.model_json_schema(mode="validation")
        for name, field in made.model_fields.items():
            if name not in known:
                allowed = in_words(described["properties"].get(name, {}), described.get("$defs", {}))
                default = "" if field.is_required() else f"`{field.default!r}`"
                yield f"| `{name}` | {allowed} | {default} |"
    elif is_dataclass(made):
        for given in fields(made):
            if not given.name.startswith("_") and given.name not in known:
                default = "" if given.default is MISSING else f"`{given.default!r}`"
                kind = _plain(str(given.type)).replace("|", "\\|")
                yield f"| `{given.name}` | `{kind}` | {default} |"


def in_words(schema: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """What a JSON schema allows, in a few words."""
    if "$ref" in schema:
        return in_words(known.get(schema["$ref"].rpartition("/")[2], {}), known)
    for joined in ("anyOf", "oneOf", "allOf"):
        if joined in schema:
            parts = dict.fromkeys(in_words(part, known) for part in schema[joined])
            return " or ".join(parts)
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema.get("properties", {}).get("kind", {}):
        return f"`{{kind: {schema['properties']['kind']['const']}}}`"
    plain = {"null": "none", "boolean": "true or false", "array": "a list", "object": "a mapping"}
    kind = str(schema.get("type", "anything"))
    kind = plain.get(kind, kind)
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if least is None and most is None:
        return kind
    if most is None:
        return f"{kind} from {least:g}"
    return f"{kind}, {least:g} to {most:g}" if least is not None else f"{kind} up to {most:g}"


def _members_of(value: Any) -> Iterator[str]:
    """What a register or another mapping holds."""
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        yield f"Members: {', '.join(f'`{name}`' for name in value)}."
    elif isinstance(value, tuple | list):
        yield f"`{value!r}`"


def signature(made: Callable[..., Any]) -> str:
    """The parameters and what is returned, as they are written, without `self` and `cls`."""
    try:
        told = inspect.signature(made)
    except ValueError:
        return "(…)"
    parameters = [each for name, each in told.parameters.items() if name not in ("self", "cls")]
    shown = str(told.replace(parameters=parameters))
    return _plain(shown)


def _plain(written: str) -> str:
    """Annotations without quotes, and without the modules that names come from."""
    without_quotes = re.sub(r"((?::|->) )'([^']*)'", r"\1\2", written)
    return re.sub(r"\b(?:[a-z_]+\.)+([A-Z]\w*)", r"\1", without_quotes.strip("'"))


def _said_below(module: str, name: str) -> str:
    """The docstring below a constant, in the module that assigns it or the one that it is imported from."""
    path = Path(str(sys.modules.get(module, import_module(module)).__file__))
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for statement, following in pairwise(body):
        assigned = getattr(statement, "targets", [getattr(statement, "target", None)])
        if any(isinstance(target, ast.Name) and target.id == name for target in assigned):
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                return str(following.value.value)
            return ""
    for statement in body:
        if isinstance(statement, ast.ImportFrom) and any(alias.name == name for alias in statement.names):
            return _said_below(str(statement.module), name)
    return ""


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def prose_of(docstring: str | None) -> str:
    """A docstring as Markdown: paragraphs, and examples as code."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(
        f"```pycon\n{paragraph}\n```" if paragraph.startswith(">>>") else _escaped(paragraph)
        for paragraph in paragraphs
    )


def _escaped(paragraph: str) -> str:
    """A paragraph in which nothing outside of code is taken for HTML."""
    pieces = paragraph.split("`")
    return "`".join(
        piece if number % 2 else piece.replace("<", "&lt;") for number, piece in enumerate(pieces)
    )
