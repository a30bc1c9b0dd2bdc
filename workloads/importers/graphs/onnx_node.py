"""One node of an ONNX graph, with what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workloads.importers.graphs.signals import NotUnderstoodError, Signal


@dataclass(frozen=True)
class Node:
    """One node of a graph. `inputs` are constants, signals, or none where one is left out; `reads` and
    `makes` the names of inputs and outputs."""

    name: str
    operation: str
    inputs: list[Any]
    attributes: dict[str, Any]
    opset: int
    reads: list[str]
    makes: list[str]

    def input(self, number: int, default: Any = None) -> Any:
        """An input, or the default where it is left out."""
        given = self.inputs[number] if number < len(self.inputs) else None
        return default if given is None else given

    def constant(self, number: int, default: Any = None) -> Any:
        """An input that must be a constant. Raises NotUnderstoodError for a signal."""
        value = self.input(number, default)
        if isinstance(value, Signal):
            raise NotUnderstoodError(f"takes input {number} from a signal", "constants there")
        return value

    def either(self, attribute: str, number: int, default: Any = None) -> Any:
        """What newer versions take as an input and older ones as an attribute."""
        given = self.constant(number)
        return self.attributes.get(attribute, default) if given is None else given
