"""What a file of a sweep may hold, as a JSON schema for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archsim.costs.fidelity.fidelities import FIDELITIES
from archsim.design import DesignPoint
from archsim.engine import engines
from archsim.explore.spec import DESIGN_FIELDS, Range

_ZIP = {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/values"}}


def sweep_schema() -> dict[str, Any]:
    """The schema of a file that `Space.from_file` reads. It knows the fields of design points by their names
    with dots, so that an editor offers them."""
    fields = _fields()
    numbers = Range.model_json_schema()
    values: dict[str, Any] = {"anyOf": [{"type": "array", "minItems": 1}, {"$ref": "#/$defs/range"}]}
    return {
        "title": "archsim sweep",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "base": {
                "type": "object",
                "description": "What every point has: fields of a design point, or fields inside them.",
                "properties": fields,
                "patternProperties": {_inside(): {}},
                "additionalProperties": False,
            },
            "axes": {
                "type": "object",
                "description": "Every value of an axis meets every value of all others.",
                "properties": {name: _axis(one) for name, one in fields.items()},
                "additionalProperties": {"$ref": "#/$defs/axis"},
            },
            "where": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Only points of which all hold, as `pes <= 16 if technology == artix7`.",
            },
            "fidelity": {"enum": list(FIDELITIES), "default": "analytic"},
        },
        "$defs": {
            **_definitions(),
            "range": numbers,
            "values": values,
            "zip": {"type": "object", "required": ["zip"], "additionalProperties": False}
            | {"properties": {"zip": _ZIP}},
            "axis": {"anyOf": [*values["anyOf"], {"$ref": "#/$defs/zip"}]},
        },
    }


def _axis(values: Mapping[str, Any]) -> dict[str, Any]:
    listed = {"type": "array", "minItems": 1, "items": dict(values)}
    return {"anyOf": [listed, {"$ref": "#/$defs/range"}, {"$ref": "#/$defs/zip"}]}


def _inside() -> str:
    return rf"^({'|'.join(DESIGN_FIELDS)})(\.[^.]+)+$"


def _definitions() -> dict[str, Any]:
    found: dict[str, Any] = DesignPoint.model_json_schema().get("$defs", {})
    return found


def _fields() -> dict[str, Any]:
    """The schema of each field of a design point. A base may leave some of them to the axes."""
    design: dict[str, Any] = dict(DesignPoint.model_json_schema()["properties"])
    engine = {"type": "object", "properties": {"kind": {"enum": sorted(engines)}}}
    fields = {
        **{name: design[name] for name in ("network", "clock_hz", "technology", "inputs", "training")},
        "engine": engine,
        "engine.kind": {"enum": sorted(engines)},
    }
    options: dict[str, list[Any]] = {}
    for kind in engines.values():
        for name, told in kind.model_json_schema()["properties"].items():
            schema = {part: value for part, value in told.items() if part != "default"}
            known = options.setdefault(f"engine.{name}", [])
            if schema not in known and name != "kind":
                known.append(schema)
    several = {name: kinds[0] if len(kinds) == 1 else {"anyOf": kinds} for name, kinds in options.items()}
    return {name: told for name, told in several.items() if told != {"anyOf": []}} | fields
