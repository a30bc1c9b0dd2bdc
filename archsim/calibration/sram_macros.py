"""Reads the SRAM macros of an open foundry process, and sets the model of memories beside them.

    python -m archsim.calibration.sram_macros FOLDER archsim/technology/data

writes `sram_ihp_sg13g2.csv` from the Liberty and LEF files in FOLDER (plain or gzip, as they come with the
IHP SG13G2 platform of OpenROAD-flow-scripts), and `memory_bracket.csv`: every figure over that of the model
at the node of the macros, and beside them what else was published.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from archsim.technology import Cmos, Cmos65, MemoryMacro
from archsim.technology.asic.generic_cells import CONSTANTS
from archsim.technology.asic.scaling import process
from archsim.technology.liberty.tables import ENERGIES, Tables
from archsim.technology.liberty.text import Group, LibertyError, liberty_text, parse_liberty
from archsim.technology.memories.bracket import BRACKET_TABLE, FIGURES, FOUNDRY, MACROS_TABLE
from archsim.technology.memories.macro_liberty import OUTPUT_LOAD_F, access_s, everywhere, setups_s
from archsim.technology.quantity import load_quantities
from workloads.files import write_text
from workloads.refusal import Refusal

FOLDER_VARIABLE = "ARCHSIM_IHP_PDK"
"""The environment variable that names the folder for the tests."""

NODE_NM: Final = 130
EVIDENCE = "memory_bracket.yaml"
OTHERS = {"compiler_55nm": (2048, 32), "horowitz_2014": (1024, 64)}
"""Published figures of other memories in the data file, and their words and bits."""

_MACROS = "RM_IHPSG13_1P_*_typ_1p20V_25C.lib*"
_SIZE = re.compile(r"^\s*SIZE\s+([\d.]+)\s+BY\s+([\d.]+)\s*;", re.MULTILINE)
_READ, _WRITE = "A_MEN&!A_WEN&A_REN", "A_MEN&A_WEN&!A_REN"
_IDLE = "!A_MEN&!A_WEN&!A_REN"
_CONTROLS = ("A_ADDR", "A_WEN", "A_REN", "A_MEN", "A_BM", "A_DIN")


@dataclass(frozen=True, kw_only=True)
class RealMacro:
    """One macro as its files state it, SI units, micron and mm2.

    The clock energies are the sum of both edges in a cycle with that access; of the idle cycle, with the
    macro not selected. The energies of address and data are those of one transition of one pin.
    """

    words: int
    word_bits: int
    width_um: float
    height_um: float
    area_mm2: float
    leakage_w: float
    clock_read_j: float
    clock_write_j: float
    clock_idle_j: float
    address_toggle_j: float
    data_toggle_j: float
    read_energy_j: float
    write_energy_j: float
    access_time_s: float
    setup_s: float


def read_macros(folder: Path) -> tuple[RealMacro, ...]:
    """The macros of a folder, by words and bits. Raises a refusal for a folder without any, and LibertyError
    for a file that lacks a figure."""
    files = sorted(folder.glob(_MACROS))
    if not files:
        raise Refusal(f"folder is {str(folder)!r}, allowed is one with files named {_MACROS}")
    macros = [read_macro(liberty_text(file), _lef_text(folder, file)) for file in files]
    return tuple(sorted(macros, key=lambda macro: (macro.words, macro.word_bits)))


def _lef_text(folder: Path, liberty: Path) -> str:
    """The LEF file beside a Liberty file: the same name without the corner."""
    name = liberty.name.split("_typ_")[0]
    return next(liberty_text(file) for file in sorted(folder.glob(f"{name}.lef*")))


def read_macro(liberty: str, lef: str) -> RealMacro:
    """The figures of the one cell of a Liberty text, and its outline in a LEF text.

    A read is the clock's two edges while the macro is selected and reads, and half of the address pins
    changing; a write is the same while it writes, and half of the data pins besides, as random words at
    random addresses do (`flop_memory_activity`); the mask of bits stays. The tables are of one value, so that
    no slew has to be chosen. The energy at the data pins is stated for each pin of the bus, and in all ten
    macros it is in proportion to the width of the bus (3.7 fJ a bit): it is taken as that of the whole bus.
    Read as it stands, it would add up to 7 % to a write.
    """
    library = parse_liberty(liberty)
    cell, tables = next(library.groups("cell")), Tables(library)
    memory = next(cell.groups("memory"))
    address_bits, word_bits = (int(_number(memory, f"{name}_width")) for name in ("address", "word"))
    outline = _SIZE.search(lef)
    if outline is None:
        raise LibertyError(f"macro {cell.name}: its LEF text states no SIZE, allowed is one with it")
    width_um, height_um = (float(side) for side in outline.groups())
    clock = {when: 2 * energy for when, energy in _energies(_pin(cell, "A_CLK"), tables).items()}
    address_j = _energies(_pin(cell, "A_ADDR"), tables)["A_MEN"]
    data_j = _energies(_pin(cell, "A_DIN"), tables)["A_MEN"] / word_bits
    activity = float(load_quantities(CONSTANTS)["flop_memory_activity"])
    return RealMacro(
        words=2**address_bits,
        word_bits=word_bits,
        width_um=width_um,
        height_um=height_um,
        area_mm2=width_um * height_um * 1e-6,
        leakage_w=_number(cell, "cell_leakage_power") * tables.leakage,
        clock_read_j=clock[_READ],
        clock_write_j=clock[_WRITE],
        clock_idle_j=clock[_IDLE],
        address_toggle_j=address_j,
        data_toggle_j=data_j,
        read_energy_j=clock[_READ] + activity * address_bits * address_j,
        write_energy_j=clock[_WRITE] + activity * (address_bits * address_j + word_bits * data_j),
        access_time_s=access_s(_pin(cell, "A_DOUT"), tables) or 0.0,
        setup_s=max(_setups(cell, tables)),
    )


def _number(group: Group, name: str) -> float:
    value = group.number(name)
    if value is None:
        raise LibertyError(f"Liberty text, line {group.line}: {name} is missing, allowed is a number")
    return value


def _pin(cell: Group, name: str) -> Group:
    """A pin, or a bus."""
    for group in cell.groups("pin", "bus"):
        if group.name == name:
            return group
    raise LibertyError(f"macro {cell.name}: it has no pin {name}, allowed is a macro with one")


def _energies(pin: Group, tables: Tables) -> Mapping[str, float]:
    """By condition, without blanks, the mean energy of an edge (J)."""
    return {
        power.text("when").replace(" ", ""): tables.energy_j([power], OUTPUT_LOAD_F) or 0.0
        for power in everywhere(pin, "internal_power")
        if any(power.groups(*ENERGIES))
    }


def _setups(cell: Group, tables: Tables) -> Iterator[float]:
    """What each input of the macro needs before the clock."""
    for name in _CONTROLS:
        yield from setups_s(_pin(cell, name), tables)


def ratios(row: Mapping[str, Any], memory: MemoryMacro) -> dict[str, float | None]:
    """The model of a memory, and each figure that a row states over it."""
    model = {f"model_{name}": getattr(memory, name) for name in FIGURES}
    return model | {
        f"{name}_ratio": row[name] / model[f"model_{name}"] if row.get(name) is not None else None
        for name in FIGURES
    }


def beside_model(macros: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of the bracket: the macros at their own node, then what else was published, taken to 65 nm."""
    for row in macros:
        memory = Cmos(node_nm=NODE_NM).memory(words=row["words"], word_bits=row["word_bits"])
        sizes = {"evidence": FOUNDRY, "words": row["words"], "word_bits": row["word_bits"]}
        yield sizes | ratios(row, memory)
    for evidence, (words, word_bits) in OTHERS.items():
        memory = Cmos65().memory(words=words, word_bits=word_bits)
        sizes = {"evidence": evidence, "words": words, "word_bits": word_bits}
        yield sizes | ratios(at_65_nm(evidence), memory)


def at_65_nm(evidence: str) -> dict[str, float]:
    """What was published of a memory near 65 nm, by constant-field scaling: lengths, capacitances and delays
    follow the node, energy also the square of the supply. (Stillmaker and Baas have no 55 nm; their energy
    from 45 nm at 0.9 V to 65 nm at 1.2 V is 3.0, the rule's is 2.6.)"""
    stated = {
        name.removeprefix(f"{evidence}/"): float(quantity)
        for name, quantity in load_quantities(EVIDENCE).items()
        if name.startswith(f"{evidence}/")
    }
    target = process(65)
    length = target.node_nm / stated["node_nm"]
    factors = {
        "area_mm2": length**2,
        "access_time_s": length,
        "read_energy_j": length * (target.nominal_v / stated["supply_v"]) ** 2,
    }
    return {name: stated[name] * factor for name, factor in factors.items() if name in stated}


def write_tables(macros: Sequence[RealMacro], directory: Path) -> None:
    """Write the figures of the macros, and their ratios to the model, to six digits."""
    real = pd.DataFrame([asdict(macro) for macro in macros])
    write_text(directory / MACROS_TABLE, real.to_csv(index=False, float_format="%.6g"))
    rows = pd.DataFrame(beside_model([asdict(macro) for macro in macros]))
    write_text(directory / BRACKET_TABLE, rows.to_csv(index=False, float_format="%.6g"))


def main() -> None:
    """Read the macros of the folder named first and write both tables to the directory named second."""
    write_tables(read_macros(Path(sys.argv[1])), Path(sys.argv[2]))


if __name__ == "__main__":
    main()
