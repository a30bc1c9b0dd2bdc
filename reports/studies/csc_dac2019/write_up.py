"""Puts the comparison of the CSC paper together: words, tables, charts, assumptions and design points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from reports import formatting as f
from reports.claims import Claim, FactorRule
from reports.provenance import assumptions_of
from reports.report import Report
from reports.studies.csc_dac2019.accuracy import accuracy_claim, accuracy_section
from reports.studies.csc_dac2019.points import METRICS, NAME, REFERENCE, SIZES, Point, Sides, side_by_side
from reports.studies.csc_dac2019.sections import sections
from reports.studies.csc_dac2019.words import judge, summary
from reports.studies.topologies.runs import shipped_runs

if TYPE_CHECKING:
    from archsim import DesignPoint, Result

LIMITS = (
    "Place and route is modelled, not run: areas are those of cells and memory macros, and FPGA paths are "
    "logic delay times a stated routing factor. The designs of the paper were placed and routed.",
    "Power in 65 nm rests on the toggles of every net of the netlist while the hardware classifies two test "
    "digits, and on glitches measured apart; power on the FPGA on coefficients of public power reports, "
    "whatever toggles.",
    "An inference does not include loading the weights, and no memory outside the chip is used.",
)


def write_up(
    results: Mapping[Point, Result], points: Mapping[Point, DesignPoint], claims: Mapping[str, Any]
) -> Report:
    """The report. `claims` is the content of the study's data file."""
    sides = side_by_side(results)
    rule = FactorRule(**claims["rule"])
    runs = shipped_runs()
    judged = (*judge(sides, claims, rule), accuracy_claim(runs, claims))
    technologies = {points[point].technology.kind: points[point].technology for point in results}
    return Report(
        name=NAME,
        title="Cyclic sparsely connected layers against pruned ones",
        question=(
            "Does a sparsity pattern that is known beforehand, and so needs no index, halve the cost of the "
            "hardware?"
        ),
        setup=_setup(sides),
        citation=" ".join(claims["citation"].split()),
        summary=tuple(summary(sides, judged)),
        sections=(*sections(sides, claims, rule), accuracy_section(runs)),
        claims=judged,
        rule=(
            f"Rule: {rule}; the least favourable of the compressions decides. The baseline is the strongest "
            "pruned design, the one with the least product of energy and size. Size is area; on the FPGA it "
            "is the geometric mean of the ratios of LUTs, flip-flops and block RAM tiles, those that both "
            "designs use."
        ),
        limits=(
            *LIMITS,
            "The tables of the paper were not found, its claims are those of its abstract. Not known are: "
            + "; ".join(claims["not_known"])
            + ".",
        ),
        assumptions=assumptions_of(technologies),
        designs={
            point.file_name: yaml.safe_dump(points[point].model_dump(), sort_keys=False) for point in results
        },
        command=f"archsim reproduce {NAME}",
        figures=_plain(results, sides, judged),
    )


def _setup(sides: Sides) -> str:
    compressions = dict.fromkeys(f"{side.compression:.1f}×" for side in sides.values())
    clocks = {
        technology: f.scaled(side.results[REFERENCE].clock_hz, "Hz")
        for (technology, _), side in sides.items()
    }
    return (
        f"LeNet-300-100 on MNIST at compressions of {' and '.join(compressions)}. Every design stands on the "
        f"same skeleton of hardware, with {SIZES['pes']} PEs, {SIZES['weight_bits']}-bit weights, "
        f"{SIZES['activation_bits']}-bit activations and fetches of {SIZES['fetch_bits']} bits (on the FPGA "
        "too, where that is one RAMB36 for each weight or index memory), at one clock a technology: "
        f"{', '.join(f'{clock} for {name}' for name, clock in clocks.items())}. The netlists were mapped by "
        "Yosys (fidelity gate)."
    )


def _plain(results: Mapping[Point, Result], sides: Sides, judged: Sequence[Claim]) -> dict[str, Any]:
    """Everything as plain values, for `results.json`."""
    return {
        "study": NAME,
        "results": {point.file_name: result.to_dict() for point, result in results.items()},
        "comparisons": [
            {
                "technology": side.technology,
                "compression": side.compression,
                "baseline": side.baseline,
                "ratios_to_csc": {
                    name: {label: side.ratio(metric, name) for label, metric in METRICS.items()}
                    | {"size": side.size_ratio(name)}
                    for name in side.results
                    if name != REFERENCE
                },
            }
            for side in sides.values()
        ],
        "claims": [vars(claim) for claim in judged],
    }
