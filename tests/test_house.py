"""The house is easy to walk: imports point one way between packages and between folders, each folder says
what it is in a sentence, and the public names are those that are announced."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import archsim
from workloads.refusal import Defect, Refusal

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "workloads": set(),
    "rtl": set(),
    "archsim": {"rtl", "workloads"},
    "reports": {"archsim", "rtl", "workloads"},
}
FLOW = {
    "workloads": (
        *("topology", "families", "kernels", "data", "training", "measures", "importers"),
        "modules",
    ),
    "rtl": ("parts", "engines", "verilog", "axi"),
    "archsim": ("engine", "technology", "netlist", "layout", "costs", "trace", "explore", "calibration"),
    "reports": (
        *("pictures", "views", "diagram", "write_up", "points", "studies", "published", "export", "cli"),
        *("site", "documentation"),
    ),
}
"""The folders of each package in the order of the flow: none imports from one that comes after it."""

DOORS = {ROOT / "archsim" / "__main__.py"}
"""`python -m archsim` opens into the command line, which is the topmost room."""

OFFLINE = "archsim.calibration"

NEED_TORCH = ("archsim.torch", "workloads.modules.")
"""Modules that nobody can import without PyTorch, which not every installation has."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the four packages, by its dotted name."""
    names = {}
    for package in MAY_IMPORT:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imported(path: Path) -> Iterator[str]:
    """The modules of the house that a file imports when it runs, wherever in the file."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module in modules():
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules() else node.module


def folder(module: str) -> str:
    """The room of the flow that a module lies in; what a folder exports, and what lies in none, is alone."""
    if modules()[module].name == "__init__.py":
        return f"{module} (exports)"
    return module if module.count(".") == 1 else ".".join(module.split(".")[:2])


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_point_one_way_between_packages(package: str) -> None:
    for path in set((ROOT / package).rglob("*.py")) - DOORS:
        used = {name.partition(".")[0] for name in imported(path)} - {package}
        assert used <= MAY_IMPORT[package], f"{path.relative_to(ROOT)} imports {sorted(used)}"


@pytest.mark.parametrize("package", sorted(FLOW))
def test_imports_point_one_way_between_folders(package: str) -> None:
    flow = FLOW[package]
    for module, path in modules().items():
        parts = module.split(".")
        if parts[0] != package or len(parts) < 2 or parts[1] not in flow:
            continue
        for name in imported(path):
            other = name.split(".")
            if other[0] == package and len(other) > 1 and other[1] in flow:
                assert flow.index(other[1]) <= flow.index(parts[1]), f"{module} imports {name}"


def assert_sorted(used: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(used).prepare()
    except CycleError as circle:
        raise AssertionError(f"imports go round: {' -> '.join(circle.args[1])}") from None


def test_modules_and_folders_import_in_no_circle() -> None:
    circles = {module: set(imported(path)) - {module} for module, path in modules().items()}
    assert_sorted(circles)
    rooms: dict[str, set[str]] = {}
    for module, used in circles.items():
        if modules()[module] not in DOORS:
            rooms.setdefault(folder(module), set()).update(map(folder, used))
    assert_sorted({room: used - {room} for room, used in rooms.items()})


def test_every_folder_of_the_flow_is_there_and_no_other() -> None:
    for package, flow in FLOW.items():
        folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
        assert folders == set(flow), package


def test_every_folder_says_what_it_is_in_one_sentence() -> None:
    for module, path in modules().items():
        if path.name == "__init__.py":
            said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            first = said.partition("\n")[0]
            assert first.endswith((".", "?")), f"{module} says {first!r}"


def test_nothing_that_runs_imports_how_the_numbers_were_made() -> None:
    for module, path in modules().items():
        if module.startswith((OFFLINE, "reports")):
            continue
        used = [name for name in imported(path) if name.startswith(OFFLINE)]
        assert not used, f"{module} imports {used}"


def test_public_names_can_be_had() -> None:
    assert set(archsim.__all__) <= set(dir(archsim))
    for name in archsim.__all__:
        assert getattr(archsim, name) is not None


def test_code_folders_are_those_of_the_design() -> None:
    folders = {p.parent.relative_to(ROOT).parts[0] for p in ROOT.glob("*/__init__.py")}
    assert folders == {"archsim", "rtl", "workloads", "reports", "tests"}


BY_ITSELF = {
    "ActivityError": "its module's text is a part of every key of remembered toggles",
    "WorkerError": "neither what was given nor archsim is at fault where a process is killed",
    "LeftOut": "never leaves the reader of Liberty files",
}
"""Errors that rest on neither base, and why."""


DOES_IT = {"write": "workloads.files", "read YAML": "workloads.strict_yaml"}
"""What is done in one module alone, so that what can go wrong with it is seen to in one place."""


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_one_module_writes_files_and_one_reads_yaml(package: str) -> None:
    for name, path in modules().items():
        if name.partition(".")[0] != package or name in DOES_IT.values():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert not writes(node), f"{name} writes a file in line {node.lineno}: {ast.unparse(node)}"
                assert not reads_yaml(node), f"{name} reads YAML in line {node.lineno}"


def writes(call: ast.Call) -> bool:
    """Whether a call writes a file by its path."""
    function = ast.unparse(call.func)
    last = function.rpartition(".")[2]
    given = [argument for argument in call.args if not isinstance(argument, ast.Name | ast.Starred)]
    if last == "open":
        mode = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        return any(set("wax+") & set(str(each)) for each in mode)
    if last in ("to_csv", "to_json", "to_html", "savefig", "savez", "savez_compressed"):
        return bool(given)
    by_path = ("write_text", "write_bytes", "tofile", "NamedTemporaryFile")
    return last in by_path and function not in (last, "formatter.write_text")


def reads_yaml(call: ast.Call) -> bool:
    return re.fullmatch(r"yaml\.\w*(load|dump)\w*", ast.unparse(call.func)) is not None


@pytest.mark.parametrize("package", ["archsim", "reports", "workloads"])
def test_every_error_of_ours_is_a_refusal_or_a_defect(package: str) -> None:
    for name in modules():
        if find_spec("torch") is None and name.startswith(NEED_TORCH):
            continue
        if name.partition(".")[0] == package and not name.endswith("__main__"):
            for error in vars(import_module(name)).values():
                if isinstance(error, type) and issubclass(error, Exception) and error.__module__ == name:
                    ours = issubclass(error, Refusal | Defect | Warning)
                    assert ours or error.__name__ in BY_ITSELF, error


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_nothing_of_ours_is_raised_as_a_plain_value_error(package: str) -> None:
    caught = {"workloads.data.images", "workloads.data.mnist"}
    for name, path in modules().items():
        if name.partition(".")[0] == package and name not in caught:
            assert not re.search(r"raise (Value|Runtime|Arithmetic|Assertion)Error\b", path.read_text()), name
