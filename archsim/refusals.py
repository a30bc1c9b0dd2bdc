"""Pydantic's complaints as refusals: one sentence with field, value and what is allowed."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError


def one_sentence(error: ValidationError, model: type[BaseModel], *, within: str = "") -> str:
    """The first complaint of pydantic, as field, value and what is allowed. `within` names the field that
    holds the model, if any."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    name = ".".join([within] * bool(within) + [str(part) for part in first["loc"]])
    if first["type"] == "extra_forbidden":
        return f"{name} is not a field, allowed are {', '.join(model.model_fields)}"
    if first["type"] == "missing":
        return f"{name} is missing, it must be given"
    if cause is not None:
        return f"{within}.{cause}" if within else str(cause)
    return f"{name} is {first['input']!r}, allowed {_allowed(model, first)}"


def _allowed(model: type[BaseModel], complaint: Any) -> str:
    """What a field takes: its range or its words, else pydantic's own complaint."""
    limits = {
        bound: getattr(limit, bound)
        for limit in model.model_fields[str(complaint["loc"][0])].metadata
        for bound in ("ge", "gt", "le")
        if getattr(limit, bound, None) is not None
    }
    if "le" in limits:
        least = str(limits["ge"]) if "ge" in limits else f"more than {limits['gt']}"
        whole = "whole numbers from " if complaint["type"].startswith("int_") else ""
        return f"are {whole}{least} to {limits['le']:g}"
    if "expected" in complaint.get("ctx", {}):
        return f"are {complaint['ctx']['expected']}"
    if complaint["type"] == "string_type":
        return "is text"
    return f"is: {complaint['msg'][0].lower()}{complaint['msg'][1:]}"
