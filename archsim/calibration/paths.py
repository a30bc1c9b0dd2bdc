"""Which way each long path of a netlist takes, of those that `rtl.parts.paths` describes, and how long it is.

Standard cells are timed to every kind of end, so that a netlist tells the delay of every way, whether it is
the longest of all or not. Of an FPGA Yosys tells the longest path only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping as MappingOf
from functools import singledispatch

from archsim.costs.logic import Logic
from archsim.engine.mapping import Mapping
from archsim.netlist import synthesise_asic
from archsim.netlist.asic import longest_paths_of
from archsim.netlist.path_ends import LongestPath, is_part
from archsim.technology import Fpga, StandardCells, Technology
from archsim.technology.technology import refuse_fabric
from rtl import Sizes, to_verilog
from rtl.parts.paths import ACTIVATIONS, FETCHES, FLOPS, SHARED_REQUANTISER
from rtl.parts.sizes import INDEX

OPERANDS = ("weight", "activation", "passed_on", "copied")
RESULTS = ("result", "scores")
_MEMORY = "_memory"
_STAGE = re.compile(r"(?P<place>\S+) \((?P<primitive>\w+)[^)]*\): (?P<ns>[0-9.]+) ns")
_MULTIPLIES_NS = 1.0
"""A DSP block whose output comes later than this after the clock multiplies in that time."""


def ways_found(technology: Technology, mapping: Mapping, logic: Logic) -> MappingOf[str, float]:
    """The delay in s of each way of the mapped hardware that a path was found along, by family. Where all is
    one way, that is the longest path."""
    if mapping.sizes.one_way:
        return {mapping.sizes.family: logic.critical_path_s or 0.0}
    return measured_ways(technology, mapping, logic)


@singledispatch
def measured_ways(technology: Technology, mapping: Mapping, logic: Logic) -> MappingOf[str, float]:
    """The delays of several ways, on this fabric."""
    refuse_fabric(technology, "the longest paths")


@measured_ways.register(StandardCells)
def _of_cells(technology: StandardCells, mapping: Mapping, logic: Logic) -> MappingOf[str, float]:
    design = to_verilog(mapping.hardware)
    paths = longest_paths_of(synthesise_asic(design.text, design.top, technology), technology)
    return _by_way(mapping.sizes, paths)


@measured_ways.register(Fpga)
def _of_fabric(technology: Fpga, mapping: Mapping, logic: Logic) -> MappingOf[str, float]:
    stages = [match for stage in logic.critical_path if (match := _STAGE.fullmatch(stage))]
    if not stages or logic.critical_path_s is None:
        return {}
    components = [_component(stage["place"]) for stage in stages]
    # An address register that is packed with a block RAM, or the last register, may have lost its name.
    first = next((at for at, name in enumerate(components) if name != "clk"), 0)
    start = components[first]
    if start == "address" and mapping.sizes.walks:
        # The register behind an index of LUT RAM is found in the component that reads it.
        start = f"{INDEX}{_MEMORY}"
    if stages[first]["primitive"].startswith("DSP") and float(stages[first]["ns"]) > _MULTIPLIES_NS:
        start = "pe.weight"
    path = LongestPath(start, tuple(components[first + 1 : -1]), components[-1], logic.critical_path_s)
    return _by_way(mapping.sizes, [path])


def _component(place: str) -> str:
    return re.sub(r"_\d+$", "", place.partition(".")[0])


def _by_way(sizes: Sizes, paths: Iterable[LongestPath]) -> MappingOf[str, float]:
    longest: dict[str, float] = {}
    for path in paths:
        family = way_of(sizes, path)
        longest[family] = max(longest.get(family, 0.0), path.delay_s)
    if sizes.own_starts:
        # An end tells only where its longest path starts: what starts elsewhere is told of at lesser ends.
        rivals = [family for family in longest if family.endswith(f".{ACTIVATIONS}")]
        for family in sorted(rivals, key=longest.__getitem__)[:-1]:
            del longest[family]
    return longest


def way_of(sizes: Sizes, path: LongestPath) -> str:
    """The family of the way that a path takes."""
    begins, ends = (place.partition(".")[0] for place in (path.start, path.end))
    own = sizes.own_ways
    if "requantiser" in path.through:
        return f"{SHARED_REQUANTISER}.{ends.removesuffix(_MEMORY)}"
    if ends == "pe":
        if begins == f"weight{_MEMORY}":
            return f"{own}weight"
        if begins.endswith(_MEMORY):
            return f"{own}operand"
        if begins == "pe" and is_part(path.start, OPERANDS):
            return f"{own}multiply" if sizes.product_register else f"{own}multiply_add"
        # A register of an FPGA has no name; of those of a PE the result is the one far from its start.
        if not sizes.shared_requantiser and ("." not in path.end or is_part(path.end, RESULTS)):
            return f"{own}requantiser"
        if not is_part(path.end, (*OPERANDS, "zero", "enable")):
            return f"{own}add" if sizes.product_register else f"{own}multiply_add"
    role = begins.removesuffix(_MEMORY)
    named = (name for name, roles in sizes.control_starts.items() if role in roles)
    start = next(named, sizes.own_starts.get(begins, "control"))
    end = FLOPS
    if ends.endswith(_MEMORY):
        end = ACTIVATIONS if ends.removesuffix(_MEMORY) in sizes.activation_words else FETCHES
    return f"{sizes.family}.{start}.{end}"
