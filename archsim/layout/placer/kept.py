"""Placements remembered by the content of their problem, so that one is computed once."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

import numpy as np

from archsim.layout.placer.placement import Placement
from archsim.layout.placer.placer import Progress, place, quiet
from archsim.layout.placer.problem import Blocks, Core, PlacementProblem
from archsim.store import remembered


def placed(problem: PlacementProblem, *, seed: int = 1, progress: Progress = quiet) -> Placement:
    """The placement of a problem, from the cache where it was placed before. Raises LayoutError as `place`
    does; a cache that cannot be read or written costs a warning, never the result."""
    content = {"placer": _placer(), "problem": problem.digest, "seed": seed}
    told = remembered("placements", content, lambda: _plain(place(problem, seed=seed, progress=progress)))
    blocks = told["blocks"]
    return Placement(
        problem=problem,
        core=Core(rows=told["rows"], sites=told["sites"]),
        cell_site=np.array(told["cell_site"], np.int64),
        cell_row=np.array(told["cell_row"], np.int64),
        blocks=Blocks(
            x_um=np.array(blocks["x_um"], float),
            y_um=np.array(blocks["y_um"], float),
            orientation=np.array(blocks["orientation"], np.int64),
        ),
        port_um=np.array(told["port_um"], float).reshape(-1, 2),
    )


def _plain(placement: Placement) -> dict[str, object]:
    """A placement as plain values; a float is the same when it is read again."""
    return {
        "rows": placement.core.rows,
        "sites": placement.core.sites,
        "cell_site": placement.cell_site.tolist(),
        "cell_row": placement.cell_row.tolist(),
        "blocks": {name: values.tolist() for name, values in vars(placement.blocks).items()},
        "port_um": placement.port_um.tolist(),
    }


@cache
def _placer() -> str:
    """A digest of the text of this package, from which placements follow: where it changes, they are computed
    again."""
    files = (file for file in resources.files("archsim.layout.placer").iterdir() if file.name.endswith(".py"))
    texts = [file.read_text(encoding="utf-8") for file in sorted(files, key=lambda file: file.name)]
    return hashlib.sha256("".join(texts).encode()).hexdigest()
