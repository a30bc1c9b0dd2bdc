"""The accuracy side of the comparison: networks trained to the end at several sizes, and sizes found bottom
up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.studies.csc_dac2019.drawings import trained_chart
from reports.studies.csc_dac2019.points import REFERENCE
from reports.studies.topologies import growing
from reports.studies.topologies.accuracy import Group, accuracy_table
from reports.studies.topologies.growing_view import Target, judged, search_table, targets
from reports.studies.topologies.plan import BOTTOM_UP, LENET, PRUNED, TO_THE_END
from reports.studies.topologies.runs import Run, shipped_runs
from reports.tables import Table


@dataclass(frozen=True)
class TrainedView:
    """Networks that were trained with several seeds: to the end, briefly with growth and without, and in
    search of a size for each target."""

    to_the_end: Group
    briefly: Group
    searched: Sequence[Target]

    @classmethod
    def of(
        cls, content: Mapping[str, Any], runs: Sequence[Run] | None, grown: Sequence[Run] | None
    ) -> TrainedView:
        """Of these runs, or of the shipped ones. `content` is the study's data file."""
        known = shipped_runs() if runs is None else runs
        growing_runs = shipped_runs(growing.FILE) if grown is None else grown
        found = targets(growing_runs, content["bottom_up"]["rungs_within"])
        return cls(Group.among(known, TO_THE_END), Group.among(known, LENET), found)

    def figures(self) -> dict[str, Any]:
        """What sentences read."""
        group, briefly = self.to_the_end, self.briefly
        csc = group.labelled(REFERENCE)
        return {
            "trained": {
                "group": group,
                "dense": group.dense,
                "csc": csc,
                "pruned": group.labelled(PRUNED),
                "losses": [group.dense.mean - one.mean for one in csc],
                "grown": briefly,
                "direct": {one.budget: one for one in briefly.labelled(REFERENCE)},
                "bottom_up": briefly.labelled(BOTTOM_UP),
            },
            "bottom_up": self.searched,
            "bottom_up_verdict": judged(self.searched),
            "ladder": growing.content()["ladder"],
            "rungs": growing.rung_weights(),
        }

    def rows(self) -> dict[str, Table]:
        """The tables."""
        shown = self.to_the_end.labelled(REFERENCE, PRUNED)
        ordered = sorted(shown, key=lambda one: (-one.budget, -one.mean))
        return {
            "accuracy": accuracy_table(ordered, marked=(REFERENCE,)),
            "bottom-up": search_table(self.searched),
        }

    def charts(self) -> dict[str, str]:
        """Accuracy over stored weights, as SVG text."""
        return {"csc-accuracy": trained_chart(self.to_the_end)}
