"""Event simulations and hardware do the same in every cycle, and what they do adds up to the counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from pydantic import ValidationError

from archsim.engine import Clos, Csc, Engine, Pruned
from archsim.engine.mapping import Mapping
from archsim.engine.stimulus import sample_inputs
from archsim.trace.runs import run_of, timeline
from archsim.trace.timeline import Timeline
from tests.archsim.test_places import models
from tests.archsim.test_training_engine import Topologies, blocks, rings, trained
from tests.strategies import cases, engines_of_kind
from workloads import Topology, random_integer_network
from workloads.stages import CscStage

pytestmark = pytest.mark.slow

KINDS = ("clos", "csc", "dense", "pruned banked", "pruned replicated", "pruned scheduled")
ALL_KINDS = (*KINDS, "eie")
"""Those that run networks with places, and one that does not."""


def gathering(engine: Engine, kind: str) -> Engine:
    """The engine, with the gather that its kind names."""
    _, _, gather = kind.partition(" ")
    if not gather:
        return engine
    try:
        settled = {"index": "auto", "requantiser": "auto"} if gather == "scheduled" else {}
        options = {"gather": gather, "route_register": False, **settled}
        return Pruned(**engine.model_dump() | options)
    except (ValidationError, ValueError):
        assume(False)
        raise


def drawn(kind: str, data: st.DataObject, *, places: bool) -> Mapping:
    """A random network on a random engine of this kind, with places or without."""
    name, fabric = kind.partition(" ")[0], data.draw(st.sampled_from(("asic", "fpga")))
    if places:
        engine = gathering(data.draw(engines_of_kind(name, 6, skips=False)), kind)
        mapping = engine.map(data.draw(models(engine)), fabric)
    else:
        case = data.draw(cases(name, biases=True))
        mapping = gathering(case.engine, kind).map(case.network, fabric)
    # PEs in lockstep are not watched.
    assume(mapping.watched)
    return mapping


def intervals(shown: Timeline) -> dict[str, tuple[list[int], list[int]]]:
    return {track.unit.name: (track.starts.tolist(), track.values.tolist()) for track in shown}


def agree(mapping: Mapping) -> None:
    seen, watched = timeline(mapping), timeline(mapping, "rtl")
    assert intervals(seen) == intervals(watched)


def adds_up(mapping: Mapping) -> None:
    shown = timeline(mapping)
    counts = shown.counts
    assert counts == mapping.count_of(sample_inputs(mapping.network, 1))
    assert (shown.first, shown.last) == (0, counts.interval_cycles)
    at_rest, *works = list(shown["engine"])
    assert (at_rest.last, works[0].last) == (1, counts.cycles)
    pes = [track for track in shown if track.unit.group == "PEs"]
    # Where columns are sent to PEs, it is the broadcast that a full queue holds up.
    refused = [shown["broadcast"]] if "broadcast" in shown.tracks else pes
    assert sum(track.cycles_in("stalled") for track in refused) == counts.stalls
    assert sum(track.cycles_in("busy") for track in pes) == counts.products
    for role, traffic in counts.traffic.items():
        for way, words in (("read", traffic.words_read), ("write", traffic.words_written)):
            there = shown.tracks.get(f"{role} {way}")
            assert (there.total if there else 0) == words, f"{role} {way}"
    assert shown["scores"].total == mapping.network.n_out
    assert shown["load port"].cycles_in("busy") == counts.load_cycles
    numbered = "segment" if mapping.sizes.sweep else "stage"
    stages = [(s.number + 1, s.start_cycle, s.end_cycle) for s in counts.stages]
    assert [(span.value, span.first, span.last) for span in shown[numbered] if span.value] == stages


@pytest.mark.parametrize("kind", ALL_KINDS)
@settings(max_examples=4)
@given(data=st.data())
def test_event_simulation_and_hardware_make_the_same_transitions(kind: str, data: st.DataObject) -> None:
    agree(drawn(kind, data, places=False))


@pytest.mark.parametrize(("width", "fan_in", "stride"), [(8, 3, 3), (8, 2, 3), (10, 3, 4), (12, 3, 5)])
def test_a_row_of_no_pe_has_no_result(width: int, fan_in: int, stride: int) -> None:
    """Along a stride that does not divide the outputs some residues have fewer of them, and with 2 PEs one
    row less than the others."""
    stages = tuple(CscStage(n_in=width, n_out=width, fan_in=fan_in, stride=step) for step in (1, stride))
    engine = Csc(pes=2, reads="along_stride", banks=1, requantiser="each")
    agree(engine.map(random_integer_network(Topology((stages,)))))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=2)
@given(data=st.data())
def test_they_do_at_places_and_steps(kind: str, data: st.DataObject) -> None:
    agree(drawn(kind, data, places=True))


CASES = [
    pytest.param(kind, places, id=f"{kind}-{'places' if places else 'cascade'}")
    for places in (False, True)
    for kind in (KINDS if places else ALL_KINDS)
]


@pytest.mark.parametrize(("kind", "places"), CASES)
@settings(max_examples=8)
@given(data=st.data())
def test_they_make_the_same_transitions_in_many_cases(kind: str, places: bool, data: st.DataObject) -> None:
    agree(drawn(kind, data, places=places))


@pytest.mark.parametrize(("kind", "places"), CASES)
@settings(max_examples=8)
@given(data=st.data())
def test_what_units_do_adds_up_to_the_counts(kind: str, places: bool, data: st.DataObject) -> None:
    adds_up(drawn(kind, data, places=places))


@pytest.mark.parametrize("kind", ALL_KINDS)
@settings(max_examples=6)
@given(data=st.data())
def test_a_window_of_a_run_is_a_part_of_it(kind: str, data: st.DataObject) -> None:
    run = run_of(drawn(kind, data, places=kind in KINDS and data.draw(st.booleans())))
    first = data.draw(st.integers(0, run.cycles - 1))
    last = data.draw(st.integers(first + 1, run.cycles))
    whole, part = run.timeline(), run.timeline(first, last)
    for track in part:
        cycles = np.repeat(track.values, track.lengths)
        of_all = whole[track.unit.name]
        assert np.array_equal(cycles, np.repeat(of_all.values, of_all.lengths)[first:last]), track.unit


@pytest.mark.parametrize(("engine", "topologies"), [(Clos, blocks), (Csc, rings)])
@settings(max_examples=10)
@given(data=st.data())
def test_a_step_of_training_is_the_same_in_every_cycle(
    engine: type[Engine], topologies: Topologies, data: st.DataObject
) -> None:
    mapping = data.draw(trained(engine, topologies))
    agree(mapping)
    shown, weights = timeline(mapping), mapping.network.stored_weights
    pes = [track for track in shown if track.unit.group == "PEs"]
    overlapped = mapping.sizes.overlapped
    assert sum(track.cycles_in("busy") for track in pes) == (1 if overlapped else 2) * weights
    assert shown["update"].total == weights
    for role, traffic in shown.counts.traffic.items():
        assert shown[f"{role} read"].total == traffic.words_read
        written = shown.tracks.get(f"{role} write")
        assert (written.total if written else 0) == traffic.words_written, role
    forward, backward = mapping.sizes.forward_cycles, mapping.sizes.backward_cycles
    passes = [(span.state, span.last - span.first) for span in shown["pass"]]
    if overlapped:
        assert passes[1] == ("one sample forward, another back", backward)
    else:
        assert passes[1:3] == [("forward", forward), ("backward and update", backward)]
