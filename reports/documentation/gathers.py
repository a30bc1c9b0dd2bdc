"""What the ways to gather activations take of the pruned networks of the zoo: cycles, and reads of banks."""

from __future__ import annotations

from typing import Literal

from archsim.engine import Pruned
from archsim.engine.gather.scheduled import ScheduledMapping
from reports.tables import Table
from workloads import load_network, quantise

NETWORKS = {"pruned, 12.7×": "lenet-300-100-pruned", "pruned, 40×": "lenet-300-100-pruned-x40"}
PES = (4, 8, 16, 32)
OTHERS: tuple[Literal["replicated"], Literal["banked"]] = ("replicated", "banked")
ACTIVATIONS = ("input", "activation_0", "activation_1")
"""Memories whose words are the operands of weights."""


def gather_table() -> str:
    """Cycles of an inference by `gather`, words read for each weight by the scheduled one, and what no
    schedule goes below."""
    rows = []
    for shown, name in NETWORKS.items():
        network = quantise(load_network(name), 8, 8)
        for pes in PES:
            scheduled = Pruned(pes=pes, gather="scheduled").map(network)
            assert isinstance(scheduled, ScheduledMapping)
            counts = scheduled.simulate()
            read = sum(counts.traffic[memory].words_read for memory in ACTIVATIONS)
            others = [Pruned(pes=pes, gather=gather).map(network).simulate().cycles for gather in OTHERS]
            least = sum(stage.least_steps[0] for stage in scheduled.stages)
            rows.append((shown, pes, counts.cycles, f"{read / counts.macs:.2f}", *others, least))
    columns = {
        "network": "",
        "PEs": "count",
        "scheduled": "count",
        "words a weight": "",
        **dict.fromkeys(OTHERS, "count"),
        "entries of the busiest PE, stage by stage": "count",
    }
    return Table("", columns, rows).markdown().replace("\N{NARROW NO-BREAK SPACE}", " ")
