"""The pruned engine as events: PEs, the result bus or the banks' arbiters, and the controller.

Things that registers do happen at whole cycles, what an arbiter decides in a cycle at its half. Nothing here
uses the closed form: it is the check on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import simpy

from archsim.engine.clock import Clocked
from archsim.engine.counts import Counts, Traffic
from archsim.engine.gather.entries import EncodedStage
from archsim.engine.gather.watched import StageWatch
from archsim.engine.watch import Watch
from rtl import State
from rtl.engines.gather.sizes import GatherSizes


def simulate_pruned(
    stages: Sequence[EncodedStage],
    sizes: GatherSizes,
    loaded: int,
    traffic: Callable[..., dict[str, Traffic]],
    watch: Watch | None = None,
) -> Counts:
    """Runs one inference from `start` to `done`, with the loading of the next one's inputs; `traffic` turns
    words into traffic. A `watch` is told what happens in which cycle."""
    machine = _Machine(stages, sizes, loaded, watch)
    cycles, interval = machine.run()
    stored, biases = (sum(getattr(stage, name) for stage in stages) for name in ("stored", "biases"))
    return Counts(
        cycles=cycles,
        load_cycles=loaded,
        interval_cycles=interval,
        macs=stored,
        padding=machine.entries * sizes.lockstep - biases - stored,
        biases=biases,
        traffic=traffic(
            read=machine.read,
            written=machine.written,
            loaded=machine.loaded,
            copies=sizes.walkers if sizes.replicated else 1,
            **machine.words,
        ),
        stalls=machine.stalls,
        stages=tuple(machine.activity),
    )


class _Machine(Clocked):
    sizes: GatherSizes

    def __init__(
        self, stages: Sequence[EncodedStage], sizes: GatherSizes, loaded: int, watch: Watch | None
    ) -> None:
        roles = ("weight", "index", "descriptor")
        super().__init__(sizes, roles, stages=len(stages), inputs=loaded, watch=watch)
        self.seen: StageWatch | None = None
        self.stages, self.walkers, self.replicated = stages, sizes.walkers, sizes.replicated
        self.lanes = sizes.lockstep
        self.entries_per_fetch, self.weights_per_fetch = sizes.entries_per_fetch, sizes.weights_per_fetch
        self.bank_bits, self.latency = sizes.address.bank_bits, sizes.pipeline.write
        self.accepts = sizes.accepts
        self.entries = self.stalls = self.number = self.left = 0

    def controller(self) -> Any:
        """Answers start, then runs stage after stage; a stage ends one cycle after its last result."""
        yield self.env.timeout(1)
        began, last = int(self.env.now), len(self.stages) - 1
        yield self.env.process(self.fetch_descriptor(self.watch))
        if self.watch:
            self.watch.add("controller", began, int(self.env.now) - began, State.FETCH)
        for number, stage in enumerate(self.stages):
            self.number = number
            if self.watch:
                names = self.source(number), None if number == last else self.target(number)
                self.seen = StageWatch(self.watch, stage, self.sizes, int(self.env.now), *names)
            stalls_before, self.left = self.stalls, int(stage.entries.sum())
            run = self.run_replicated if self.replicated else self.run_banked
            yield self.env.process(run(stage, final=number == last))
            yield self.env.timeout(1)
            if self.seen:
                self.seen.ends(int(self.env.now))
            self.ends_stage(number, began, stage.stored, self.stalls - stalls_before)
            began = int(self.env.now)

    def take_entry(self, walker: int, number: int, index: int, *, bias: bool) -> None:
        """Entry `number` of a walker in this stage is accepted, which begins its index of this number, unless
        that is -1: what it reads. After the last one of all PEs the next descriptor is fetched; the results
        on their way take longer than that."""
        self.entries += 1
        self.read[self.number] += not bias
        self.words["index"] += index >= 0 and index % self.entries_per_fetch == 0
        self.words["weight"] += (number % self.weights_per_fetch == 0) * self.lanes
        self.left -= 1
        if self.seen:
            self.seen.taken[walker].append(int(self.env.now))
        if not self.left and self.number < len(self.stages) - 1:
            self.env.process(self.fetch_descriptor())

    # Replicated activations: one bus for results.

    def run_replicated(self, stage: EncodedStage, *, final: bool) -> Any:
        """Walkers fill the result registers of their PEs, the bus empties them, one a cycle (scores all at
        once)."""
        slots = [simpy.Store(self.env, capacity=1) for _ in range(self.walkers)]
        for walker, begins in enumerate(stage.begins_index):
            rows = list(zip(stage.row_lengths[walker].tolist(), stage.results[walker].tolist(), strict=True))
            entries = list(zip(begins.tolist(), (stage.addresses[walker] < 0).tolist(), strict=True))
            self.env.process(self.free_running(walker, rows, entries, slots[walker]))
        yield self.env.process(self.result_bus(slots, stage.outputs, final=final))

    def free_running(
        self, walker: int, rows: list[tuple[int, int]], entries: list[tuple[int, bool]], slot: simpy.Store
    ) -> Any:
        """Entry after entry; after each row its results enter the slot, or the walker waits until then."""
        taken = 0
        yield self.env.timeout(self.latency - 2)
        for length, results in rows:
            for _ in range(length):
                index, bias = entries[taken]
                self.take_entry(walker, taken, index, bias=bias)
                taken += 1
                # A walker that was let go by the bus in the middle of a cycle moves on in that cycle.
                yield self.env.timeout(1 - self.env.now % 1)
            finished = self.env.now
            yield slot.put([finished, results])
            self.stalls += int(self.env.now - finished)
            if self.seen:
                self.seen.stood[walker] += range(int(finished), int(self.env.now))

    def result_bus(self, slots: list[simpy.Store], results: int, *, final: bool) -> Any:
        """In the middle of each cycle takes the lowest PE's result that has waited since the cycle before."""
        at_once = final and not self.sizes.shared_requantiser
        yield self.env.timeout(0.5)
        while results:
            ready = [slot for slot in slots if slot.items and slot.items[0][0] < self.env.now - 1]
            for slot in ready if at_once else ready[:1]:
                waiting = slot.items[0]
                taken = waiting[1] if at_once else 1
                waiting[1] -= taken
                results -= taken
                self.written[self.number] += taken * (not final)
                if self.seen:
                    self.seen.bus.append(int(self.env.now))
                if not waiting[1]:
                    yield slot.get()
            yield self.env.timeout(1 if results else 0.5)

    # Banked activations: one arbiter for each bank.

    def run_banked(self, stage: EncodedStage, *, final: bool) -> Any:
        """Walkers ask for the banks of their entries, the arbiters answer."""
        asking: dict[int, tuple[int, simpy.Event]] = {}
        begins = stage.begins_index
        for walker, banks in enumerate(stage.banks(self.bank_bits)):
            entries = list(zip(banks.tolist(), begins[walker].tolist(), strict=True))
            self.env.process(self.asking_walker(walker, entries, asking))
        yield self.env.process(self.arbiters(asking))
        self.written[self.number] += 0 if final else stage.outputs
        yield self.env.timeout(self.latency - self.accepts + 0.5)

    def asking_walker(
        self, walker: int, entries: list[tuple[int, int]], asking: dict[int, tuple[int, simpy.Event]]
    ) -> Any:
        """Asks for one entry at a time, again and again until it is granted."""
        for number, (bank, index) in enumerate(entries):
            granted = self.env.event()
            asking[walker] = bank, granted
            yield granted
            self.take_entry(walker, number, index, bias=bank < 0)

    def arbiters(self, asking: dict[int, tuple[int, simpy.Event]]) -> Any:
        """In the middle of each cycle a bank grants its first asker, counted from the one whose turn it is.
        Returns in the middle of the last granting cycle."""
        turn = self.accepts
        yield self.env.timeout(self.accepts + 0.5)
        while asking:
            taken: set[int] = set()
            for walker in sorted(asking, key=lambda walker: (walker - turn) % self.walkers):
                bank, granted = asking[walker]
                if bank >= 0 and bank in taken:
                    self.stalls += 1
                    if self.seen:
                        self.seen.stood[walker].append(int(self.env.now))
                else:
                    taken.add(bank)
                    del asking[walker]
                    granted.succeed()
            # Those that were granted ask again in this cycle, if they have more to do.
            yield self.env.timeout(0)
            if asking:
                yield self.env.timeout(1)
            turn += 1
