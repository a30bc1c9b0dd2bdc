"""The points that no other point is better than."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archsim.costs.metrics import METRICS, metric_of
from workloads.refusal import Refusal

if TYPE_CHECKING:
    import pandas as pd


class ObjectiveError(Refusal):
    """A figure that nothing can be judged by."""


def pareto(frame: pd.DataFrame, *objectives: str) -> pd.DataFrame:
    """The rows of a frame that no other row is at least as good as in every objective and better in one, in
    the order of the first objective.

    An objective is a column of numbers; less is better, but of accuracy, throughput and compression. Rows
    that lack one are left out. Raises ObjectiveError for a column that is not there, or holds no number.
    """
    if not objectives:
        raise ObjectiveError.of("objectives", [], "names of figures")
    for name in objectives:
        if name not in frame or not frame[name].notna().any() or frame[name].dtype.kind not in "fiub":
            numbers = [column for column in frame if column in METRICS]
            raise ObjectiveError.of(
                "objective", name, numbers or "figures of finished points, and there are none"
            )
    whole = frame.dropna(subset=list(objectives))
    signs = [-1.0 if metric_of(name).more_is_better else 1.0 for name in objectives]
    costs = whole[list(objectives)].to_numpy(dtype=np.float64) * signs
    best: pd.DataFrame = whole[undominated(costs)].sort_values(objectives[0])
    return best.reset_index(drop=True)


def undominated(costs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows of costs (points, objectives) no other row dominates, shape (points,). Equal rows stay."""
    order = np.lexsort(costs.T[::-1])
    front: list[int] = []
    stays = np.zeros(len(costs), dtype=bool)
    for place in order:
        kept = costs[front]
        no_worse = (kept <= costs[place]).all(axis=1)
        stays[place] = not (no_worse & (kept < costs[place]).any(axis=1)).any()
        if stays[place]:
            front.append(int(place))
    return stays
