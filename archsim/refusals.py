"""Pydantic's complaints as refusals: one sentence with field, value and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

import numpy as np
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from workloads.refusal import Refusal

FIELD = re.compile(r"(\w+) (is|has|gives)\b")
"""How a refusal begins that is of a field."""


@contextmanager
def named_in(**sections: Collection[str]) -> Iterator[None]:
    """What is refused inside by the name of a field alone is refused by its path: an engine says `pes`, and
    what the user wrote is `engine.pes`. The first of the sections that has the field counts."""
    try:
        yield
    except Refusal as refused:
        field = FIELD.match(str(refused))
        section = next((name for name, fields in sections.items() if field and field[1] in fields), None)
        if section:
            refused.args = (f"{section}.{refused}",)
        raise


def without_numpy(values: Any) -> Any:
    """The values of fields with NumPy's numbers as Python's, which strict fields take. Everything else stays:
    a boolean or a text is no number there."""
    if not isinstance(values, Mapping):
        return values
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def one_sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """The first complaint of pydantic, as field, value and what is allowed."""
    complaints = error.errors()
    first = complaints[0]
    cause = first.get("ctx", {}).get("error")
    # Of a field that takes this or that, every kind complains, each at a place of its own.
    same = [one for one in complaints if one["loc"][:1] == first["loc"][:1]]
    place = first["loc"] if len(same) == 1 else first["loc"][:1]
    name = ".".join(map(str, place))
    if first["type"] == "extra_forbidden":
        return f"{name} is not a field, allowed are {', '.join(model.model_fields)}"
    if first["type"] == "missing":
        return f"{name} is missing, it must be given"
    if cause is not None:
        return str(cause)
    allowed = _allowed(model, first)
    for other in same[1:]:
        allowed += f" or {_allowed(model, other).removeprefix('are ')}"
    return f"{name} is {first['input']!r}, allowed {allowed}"


def _allowed(model: type[BaseModel], complaint: Any) -> str:
    """What a field takes: its range or its words, else pydantic's own complaint."""
    if "expected" in complaint.get("ctx", {}):
        return f"are {complaint['ctx']['expected']}"
    if complaint["type"].startswith("bool_"):
        return "are true, false"
    name = str(complaint["loc"][0])
    fields = model.model_fields.items()
    limits = next((_limits(field) for known, field in fields if name in (known, field.alias)), {})
    if "le" in limits:
        least = _bound(limits["ge"]) if "ge" in limits else f"more than {_bound(limits['gt'])}"
        whole = "whole numbers from " if complaint["type"].startswith("int_") else ""
        return f"are {whole}{least} to {_bound(limits['le'])}"
    if complaint["type"] == "string_type":
        return "is text"
    if complaint["type"] in ("float_type", "int_type"):
        return f"are {'whole ' * (complaint['type'] == 'int_type')}numbers"
    return f"is: {complaint['msg'][0].lower()}{complaint['msg'][1:]}"


def _bound(limit: float) -> str:
    """A whole number with all its digits."""
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


def _limits(field: FieldInfo) -> dict[str, Any]:
    """The bounds of a number, of the field or of one of the kinds that it takes."""
    bounded = list(field.metadata)
    for kind in get_args(field.annotation):
        for info in getattr(kind, "__metadata__", ()):
            bounded += getattr(info, "metadata", [info])
    return {
        bound: getattr(limit, bound)
        for limit in bounded
        for bound in ("ge", "gt", "le")
        if getattr(limit, bound, None) is not None
    }
