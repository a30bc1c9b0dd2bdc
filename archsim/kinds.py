"""Fields that hold one of several registered kinds of model, as their schema tells it to an editor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic_core import CoreSchema


@dataclass(frozen=True, eq=False)
class OneOf:
    """Annotates a field whose value is a member of a register, told apart by `kind`. `by_name` says that a
    bare name will do."""

    members: Mapping[str, type[BaseModel]]
    by_name: bool = False

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schemas = (member.model_json_schema() for member in self.members.values())
        kinds = [told | {"required": ["kind", *told.get("required", ())]} for told in schemas]
        union = {"oneOf": kinds, "discriminator": {"propertyName": "kind"}}
        return {"anyOf": [{"enum": sorted(self.members)}, union]} if self.by_name else union
