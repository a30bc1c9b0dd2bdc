"""Tables of the documentation on trained networks: claims of topologies, and other ways to few weights."""

from __future__ import annotations

from reports.tables import Table


def topology_claims() -> str:
    """The claims of the topologies' papers with their verdicts, from the trainings that are shipped."""
    from reports.studies import studies

    claims = [
        (study, claim.claim, claim.ours or claim.measured, claim.verdict)
        for study in ("closnets-2018", "closnets-fpl2018", "neurofabric-2020")
        for claim in studies[study]().claims
    ]
    shown = Table("", {"study": "", "claim": "", "here": "", "verdict": ""}, claims, words=3).markdown()
    return shown.replace("\N{NARROW NO-BREAK SPACE}", " ")


def other_ways_table() -> str:
    """Other ways to few weights, trained alike."""
    from reports.studies.topologies.baselines import BASELINES, baseline_table
    from reports.studies.topologies.runs import networks, shipped_runs

    shown = baseline_table(networks(shipped_runs(), BASELINES)).markdown()
    return shown.replace("\N{NO-BREAK SPACE}", " ")
