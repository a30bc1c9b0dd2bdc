"""What changes where designs take part that skip activations of zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019.equal_accuracy import Pair

if TYPE_CHECKING:
    from archsim import Result


@dataclass(frozen=True)
class Change:
    """A comparison at equal accuracy, and the strongest design with an index of those that skip."""

    pair: Pair
    skipping: str

    @property
    def side(self) -> SideBySide:
        return self.pair.side


def skips(result: Result) -> bool:
    """Whether how many products there are depends on the inputs, as it does where some are left out."""
    fewest, most = result.counts.bounds.get("products", (0, 0))
    return fewest < most


def skipping(paired: Mapping[str, Sequence[Pair]]) -> dict[str, Any]:
    """What sentences read: the designs that skip, and what they change."""
    met = [item for pairs in paired.values() for pair in pairs for item in pair.side.results.items()]
    return {
        "designs": list(dict.fromkeys(name for name, result in met if skips(result))),
        "changes": {
            technology: [change for pair in pairs if pair.indexed_given and (change := _change(pair))]
            for technology, pairs in paired.items()
        },
    }


def _change(pair: Pair) -> Change | None:
    """None where no design skips."""
    able = [name for name in pair.side.candidates if skips(pair.side.results[name])]
    return Change(pair, replace(pair.side, candidates=able).baseline) if able else None
