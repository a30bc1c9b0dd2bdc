"""The accuracy side of the comparison: networks trained to the end at several sizes, those in the shape of
AlexNet among them, and sizes found bottom up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.studies.csc_dac2019.drawings import trained_chart
from reports.studies.csc_dac2019.points import REFERENCE
from reports.studies.topologies import growing
from reports.studies.topologies.accuracy import Group, accuracy_table
from reports.studies.topologies.growing_view import Target, judged, search_table, targets
from reports.studies.topologies.plan import ALEXNET, BOTTOM_UP, LENET, PRUNED, TO_THE_END
from reports.studies.topologies.runs import Run, shipped_runs
from reports.tables import Table
from workloads import Recipe


@dataclass(frozen=True)
class TrainedView:
    """Networks that were trained with several seeds: to the end, in AlexNet's shape of cost, briefly with
    growth and without, and in search of a size for each target."""

    to_the_end: Group
    shaped: Group
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
        to_the_end, shaped, briefly = (Group.among(known, name) for name in (TO_THE_END, ALEXNET, LENET))
        return cls(to_the_end, shaped, briefly, found)

    def figures(self) -> dict[str, Any]:
        """What sentences read."""
        group, briefly = self.to_the_end, self.briefly
        return {
            "trained": _beside_dense(group)
            | {
                "pruned": group.labelled(PRUNED),
                "grown": briefly,
                "direct": {one.budget: one for one in briefly.labelled(REFERENCE)},
                "bottom_up": briefly.labelled(BOTTOM_UP),
            },
            "shaped": _beside_dense(self.shaped) | _shape(self.shaped.dense.runs[0].cell.recipe),
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
            "shaped-accuracy": accuracy_table(
                [self.shaped.dense, *self.shaped.labelled(REFERENCE)], marked=(REFERENCE,)
            ),
            "bottom-up": search_table(self.searched),
        }

    def charts(self) -> dict[str, str]:
        """Accuracy over stored weights, as SVG text."""
        return {"csc-accuracy": trained_chart(self.to_the_end)}


def _beside_dense(group: Group) -> dict[str, Any]:
    """What CSC loses of the accuracy of the dense network of its group."""
    csc = group.labelled(REFERENCE)
    losses = [group.dense.mean - one.mean for one in csc]
    return {"group": group, "dense": group.dense, "csc": csc, "losses": losses}


def _shape(recipe: Recipe) -> dict[str, Any]:
    """Of a dense convolutional network: what its fully connected layers read, how many outputs each has, and
    the share that they have of all weights and of all products."""
    full, convolutions = recipe.topology(), recipe.geometry()
    products = sum(each.mixing.dense_weights * each.side_out**2 for each in convolutions)
    return {
        "sizes": [full.n_in, *(layer[-1].n_out for layer in full.layers)],
        "convolutions": sum(each.mixing.dense_weights for each in convolutions),
        "weight_share": full.dense_weights / recipe.dense_weights,
        "product_share": full.dense_weights / (full.dense_weights + products),
    }
