"""What studies of trained networks rest on: choices made here, with their grounds."""

from __future__ import annotations

from collections.abc import Sequence

from reports import formatting as f
from reports.report import Assumption
from reports.studies.topologies.plan import FIRST_LAYER, NEAR
from reports.studies.topologies.runs import Trained, seed_deviation

MEASURED_ONCE = (
    "Accuracies were measured once on one machine and come with the package as data, each with the recipe "
    "that repeats it. Another processor or BLAS rounds sums differently, which moves an accuracy about as "
    "much as another seed does. What was chosen here:"
)


def chosen_here(*groups: Sequence[Trained]) -> tuple[Assumption, ...]:
    """The choices behind the networks of these groups."""
    rates = sorted({each.runs[0].settings["rate"]["peak"] for group in groups for each in group})
    return (
        Assumption(
            "peak learning rate",
            ", ".join(f"{rate:g}" for rate in rates),
            "One for all, from a trial of dense, csc, clos and pruned networks at 0.003 to 0.04 with two or "
            "three seeds: 0.01 was best or within 0.3 points of the best for each. A rate of its own may "
            "suit another family better",
        ),
        Assumption(
            "share of the first layer",
            f.percent(FIRST_LAYER, 0),
            "Of what LeNet-300-100's third layer leaves of a budget; about that of the zoo's networks",
        ),
        Assumption(
            "shapes",
            "the first of the family's own grid within 2 % of the budget, else the nearest",
            "csc and clos have the shapes of the zoo, as near to the budgets as they go. A family is left "
            f"out at a budget that it misses by more than {f.percent(NEAR, 0)}",
        ),
        Assumption(
            "a fourth Clos stage",
            "one more column of middle blocks, joined by the same shuffle",
            "Our reading; the papers speak of it without a drawing",
        ),
        *(
            Assumption(
                f"deviation from seed to seed, {group[0].group}",
                f"{seed_deviation(group) * 100:.2f} points",
                "Pooled over all networks of the group; the errors of differences come from it",
            )
            for group in groups
        ),
    )
