"""A run over time, looked at: why units wait, how small a picture of it is, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

import archsim as a
from archsim.engine.mapping import Mapping, MappingError
from archsim.trace import runs
from archsim.trace.runs import TraceError, run_of
from archsim.trace.utilisation import utilisation_of
from tests.archsim.test_places import convolved
from workloads import IntegerModel, IntegerPart, Places, PrunedStage, Topology, random_integer_network


@pytest.fixture(scope="module")
def banked() -> a.DesignPoint:
    engine = a.Pruned(pes=8, gather="banked")
    return a.DesignPoint(network="lenet-300-100-pruned-x40", engine=engine, technology="cmos65")


@pytest.fixture(scope="module")
def places() -> Mapping:
    return convolved(a.Csc(pes=4))


def states(timeline: a.Timeline, unit: str) -> set[str]:
    return {span.state for span in timeline[unit]}


def test_a_pe_of_a_banked_engine_is_stalled_by_bank_conflicts(banked: a.DesignPoint) -> None:
    shown = a.timeline(banked)
    expected = {"busy", "bank conflict", "descriptor is fetched", "pipeline drains"}
    assert expected < states(shown, "PE 0")
    assert "bank conflict" in states(shown, "crossbar")
    assert shown.clock_hz == banked.clock_hz
    assert shown.label == "lenet-300-100-pruned-x40 on pruned banked, 8 PEs"


def test_a_pe_that_marches_in_step_is_never_stalled(places: Mapping) -> None:
    shown = a.timeline(places)
    assert not any(track.cycles_in("stalled") for track in shown)
    assert {"busy", "window is filled"} < states(shown, "PE 0")
    assert {"busy", "engine works"} < states(shown, "sequencer")


def test_stages_lie_in_places_and_places_in_segments(places: Mapping) -> None:
    shown = a.timeline(places)
    outer = [(span.first, span.last) for span in shown["segment"] if span.value]
    for name in ("place", "stage"):
        inner = [(span.first, span.last) for span in shown[name] if span.value]
        for first, last in inner:
            assert any(start <= first and last <= end for start, end in outer), name
        outer = inner
    assert shown["place"].values.max() == 9


def test_kinds_share_the_cycles_of_a_unit(banked: a.DesignPoint) -> None:
    shown = a.timeline(banked, first=10, last=200)
    for track in shown:
        spent = [track.cycles_in(kind) for kind in ("busy", "stalled", "waiting", "idle")]
        assert sum(spent) == 190
        assert [span.last for span in track][:-1] == track.starts[1:].tolist()


def test_blocks_are_joined_without_a_seam(
    banked: a.DesignPoint, places: Mapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    for of in (banked, places):
        whole = a.timeline(of)
        with monkeypatch.context() as patched:
            patched.setattr(runs, "BLOCK", 37)
            pieces = a.timeline(of)
        for track in whole:
            assert np.array_equal(track.starts, pieces[track.unit.name].starts)
            assert np.array_equal(track.values, pieces[track.unit.name].values)


def test_a_small_picture_has_few_spans_and_the_shares_of_the_run(banked: a.DesignPoint) -> None:
    run = run_of(banked)
    shown, whole = utilisation_of(run, 40), run.timeline()
    plain = shown.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert max(len(unit["spans"]) for unit in plain["units"]) <= 40
    ends = {stage["end_cycle"] for stage in plain["stages"]} - {shown.done}
    assert ends <= set(shown.edges)
    weights = np.diff(shown.edges)
    for track in whole:
        if track.unit.holds == "state":
            for kind in ("busy", "stalled", "waiting"):
                cycles = float(shown[track.unit.name].of(kind) @ weights)
                assert cycles == pytest.approx(track.cycles_in(kind))
        elif track.unit.holds == "words":
            words = float(shown[track.unit.name].of("busy") @ weights) * track.unit.of
            assert words == pytest.approx(track.total)
    pes = [whole[f"PE {number}"].cycles_in("stalled") for number in range(8)]
    assert float(shown["all PEs"].of("stalled") @ weights) == pytest.approx(np.mean(pes))


def test_the_spans_of_a_picture_cover_it(places: Mapping) -> None:
    plain = a.utilisation(places, parts=25).to_dict()
    for unit in plain["units"]:
        spans = unit["spans"]
        assert spans[0][0] == plain["first_cycle"]
        assert spans[-1][1] == plain["last_cycle"]
        assert [span[1] for span in spans[:-1]] == [span[0] for span in spans[1:]]
        assert all(sum(span[2:5]) <= 1.01 for span in spans)


@pytest.mark.parametrize("fidelity", ["analytic", "gate", "waves", None])
def test_other_fidelities_know_no_cycles(banked: a.DesignPoint, fidelity: str) -> None:
    with pytest.raises(a.FidelityError, match=r"fidelity is .*, allowed are cycle, rtl"):
        a.timeline(banked, fidelity)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (-1, None, "from is -1, allowed are cycles 0 to"),
        (10**9, None, "from is 1000000000, allowed are cycles 0 to"),
        (0, 10**9, "to is 1000000000, allowed are cycles 1 to"),
        (20, 20, "to is 20, allowed are cycles 21 to"),
        (True, None, "from is True, allowed are cycles 0 to"),
    ],
)
def test_a_window_outside_the_run_is_refused(
    banked: a.DesignPoint, first: int, last: int | None, said: str
) -> None:
    with pytest.raises(TraceError, match=said):
        a.timeline(banked, first=first, last=last)


def test_more_changes_than_are_held_are_refused(
    banked: a.DesignPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MOST_INTERVALS", 500)
    monkeypatch.setattr(runs, "BLOCK", 50)
    with pytest.raises(TraceError, match="allowed are up to 500 changes, which are had up to cycle"):
        a.timeline(banked)
    assert a.timeline(banked, last=20).last == 20


def test_hardware_is_not_watched_for_ever(banked: a.DesignPoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST_WATCHED", 100)
    with pytest.raises(TraceError, match="allowed with fidelity rtl are cycles up to 100"):
        a.timeline(banked, "rtl")
    assert a.timeline(banked, "rtl", last=100).last == 100


@pytest.mark.parametrize("parts", [0, -3, 2.5, True])
def test_parts_of_a_picture_are_whole_numbers(banked: a.DesignPoint, parts: int) -> None:
    with pytest.raises(TraceError, match=r"parts is .*, allowed are whole numbers from 1 on"):
        a.utilisation(banked, parts=parts)


def test_a_full_queue_holds_up_the_broadcast_and_a_pe_tells_why_it_waits() -> None:
    engine = a.engines["eie"](pes=8, queue_depth=1)
    design = a.DesignPoint(network="lenet-300-100-pruned-x40", engine=engine, technology="cmos65")
    shown = a.timeline(design)
    assert states(shown, "broadcast") == {
        *("idle", "busy", "a queue is full", "looks for an activation that is not zero")
    }
    assert {
        *("busy", "no activation is there for it", "column has no entry for it"),
        *("nothing to do while others work", "descriptor is fetched", "pipeline drains"),
    } <= states(shown, "PE 0")
    assert shown["broadcast"].cycles_in("stalled") == shown.counts.stalls > 0
    deeper = design.replace(engine=engine.model_copy(update={"queue_depth": 256}))
    assert a.timeline(deeper)["broadcast"].cycles_in("stalled") == 0


def test_a_pe_with_a_schedule_is_never_refused() -> None:
    engine = a.Pruned(pes=8, gather="scheduled")
    design = a.DesignPoint(network="lenet-300-100-pruned-x40", engine=engine, technology="cmos65")
    shown = a.timeline(design)
    assert not any(track.cycles_in("stalled") for track in shown)
    busy = sum(track.cycles_in("busy") for track in shown if track.unit.group == "PEs")
    assert busy == shown.counts.products


def test_pes_in_lockstep_are_not_watched_at_places_either() -> None:
    part = IntegerPart(Places(2, 3, 3, kernel=(2, 2)), random_integer_network(blocks()))
    mapping = a.Pruned(pes=4, index="blocks").map(IntegerModel("placed", (part,)))
    with pytest.raises(MappingError, match="allowed are those whose cycles are watched"):
        a.timeline(mapping)


def blocks() -> Topology:
    """A layer of 8 inputs of which two blocks of four by four are kept."""
    kept = np.kron(np.eye(2), np.ones((4, 4)))
    return Topology(((PrunedStage.from_mask(kept),),))


def test_only_designs_have_runs() -> None:
    with pytest.raises(a.DesignError, match="allowed are a design point and its mapping"):
        a.timeline("csc.yaml")  # type: ignore[arg-type]
