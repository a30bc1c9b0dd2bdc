"""Places the netlists with every tool there is: `make layout-check`.

    python -m tests.layout_check build/layout_check

prints one table and writes it as `layout_check.json` into the folder, beside what the tools were given and
wrote. Ends with status 1 where something does not hold, a tool failed, or there is no tool to compare with.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from tests.layout_check import by_coriolis, by_qflow
from tests.layout_check.comparison import Row, table
from tests.layout_check.netlists import Case, cases
from tests.layout_check.programs import ProgramError, tools

SIDE_BY_SIDE = 2
"""So many programs run at a time."""


def main() -> None:
    folder, known = Path(sys.argv[1]), tools()
    for tool in known.values():
        if not tool.is_there:
            print(tool.missing, file=sys.stderr)
    placers: dict[str, Callable[[Case, Path], Iterator[Row]]] = {}
    if known["coriolis"].is_there:
        placers["coriolis"] = by_coriolis.rows
    if known["graywolf"].is_there:
        placers["graywolf"] = by_qflow.rows_of(is_routed=known["qrouter"].is_there)
    if not placers:
        sys.exit("neither Coriolis nor graywolf is there, so that nothing can be compared")
    made: list[Row] = []
    faults: list[str] = []

    def compare(rows: Callable[[Case, Path], Iterator[Row]], case: Case, room: Path) -> None:
        """Keeps what there is of a case, although a program may fail."""
        try:
            for row in rows(case, room):
                made.append(row)
                faults.extend(row.faults)
        except ProgramError as error:
            faults.append(f"{case.name}: {error}")

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        waiting = [
            pool.submit(compare, rows, case, folder / name / case.folder)
            for case in cases()
            for name, rows in placers.items()
            if name != "coriolis" or case.is_ours
        ]
    for each in waiting:
        each.result()
    made.sort(key=lambda row: (row.case, row.placer, row.router))
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"rows": [row.plain() for row in made], "faults": faults}
    (folder / "layout_check.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    Console(width=160).print(table(made))
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
