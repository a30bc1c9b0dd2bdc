"""The pruned engine as events: PEs, the result bus or the banks' arbiters, and the controller.

Things that registers do happen at whole cycles, what an arbiter decides in a cycle at its half. Nothing here
uses the closed form: it is the check on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import simpy

from archsim.engine.clock import Clocked
from archsim.engine.counts import Counts, StageActivity, Traffic
from archsim.engine.gather.entries import EncodedStage
from rtl import GATHER_CYCLES
from rtl.engines.gather.sizes import GatherSizes


def simulate_pruned(
    stages: Sequence[EncodedStage], sizes: GatherSizes, traffic: Callable[..., dict[str, Traffic]]
) -> Counts:
    """Runs one inference from `start` to `done`; `traffic` turns words into traffic."""
    machine = _Machine(stages, sizes)
    cycles, stored = machine.run(), sum(stage.stored for stage in stages)
    return Counts(
        cycles=cycles,
        macs=stored,
        padding=machine.entries - stored,
        traffic=traffic(**machine.words),
        stalls=machine.stalls,
        stages=tuple(machine.activity),
    )


class _Machine(Clocked):
    def __init__(self, stages: Sequence[EncodedStage], sizes: GatherSizes) -> None:
        super().__init__(("weight", "index", "activation", "descriptor"), sizes.descriptor_format.words)
        self.stages, self.sizes, self.pes = stages, sizes, sizes.pes
        self.entries = self.stalls = 0

    def controller(self) -> Any:
        """Answers start, then runs stage after stage; a stage ends one cycle after its last result."""
        yield self.env.timeout(1)
        last = len(self.stages) - 1
        for number, stage in enumerate(self.stages):
            began, stalls_before = int(self.env.now), self.stalls
            yield self.env.process(self.fetch_descriptor())
            run = self.run_replicated if self.sizes.replicated else self.run_banked
            yield self.env.process(run(stage, final=number == last))
            yield self.env.timeout(1)
            self.activity.append(
                StageActivity(number, began, int(self.env.now), stage.stored, self.stalls - stalls_before)
            )

    def take_entry(self, number: int) -> None:
        """Entry `number` of a PE in this stage is accepted: what it reads."""
        self.entries += 1
        self.words["activation"] += 1
        self.words["index"] += number % self.sizes.entries_per_fetch == 0
        self.words["weight"] += number % self.sizes.weights_per_fetch == 0

    # Replicated activations: one bus for results.

    def run_replicated(self, stage: EncodedStage, *, final: bool) -> Any:
        """PEs fill their result registers, the bus empties them, one a cycle (scores all at once)."""
        slots = [simpy.Store(self.env, capacity=1) for _ in range(self.pes)]
        for pe, lengths in enumerate(stage.row_lengths):
            self.env.process(self.free_running_pe(lengths.tolist(), slots[pe]))
        yield self.env.process(self.result_bus(slots, stage.outputs, final=final))

    def free_running_pe(self, lengths: list[int], slot: simpy.Store) -> Any:
        """Entry after entry; after each row the result enters the slot, or the PE waits until it can."""
        taken = 0
        yield self.env.timeout(GATHER_CYCLES - 2)
        for length in lengths:
            for _ in range(length):
                self.take_entry(taken)
                taken += 1
                # A PE that was let go by the bus in the middle of a cycle moves on in that cycle.
                yield self.env.timeout(1 - self.env.now % 1)
            finished = self.env.now
            yield slot.put(finished)
            self.stalls += int(self.env.now - finished)

    def result_bus(self, slots: list[simpy.Store], results: int, *, final: bool) -> Any:
        """In the middle of each cycle takes the lowest PE's result that has waited since the cycle before."""
        copies = 0 if final else self.pes
        yield self.env.timeout(0.5)
        while results:
            ready = [slot for slot in slots if slot.items and slot.items[0] < self.env.now - 1]
            for slot in ready if final else ready[:1]:
                yield slot.get()
                results -= 1
                self.words["activation_written"] += copies
            yield self.env.timeout(1 if results else 0.5)

    # Banked activations: one arbiter for each bank.

    def run_banked(self, stage: EncodedStage, *, final: bool) -> Any:
        """PEs ask for the banks of their entries, the arbiters answer."""
        asking: dict[int, tuple[int, simpy.Event]] = {}
        for pe, banks in enumerate(stage.banks(self.sizes.address.bank_bits)):
            self.env.process(self.asking_pe(pe, banks.tolist(), asking))
        yield self.env.process(self.arbiters(asking))
        self.words["activation_written"] += 0 if final else stage.outputs
        yield self.env.timeout(GATHER_CYCLES - 0.5)

    def asking_pe(self, pe: int, banks: list[int], asking: dict[int, tuple[int, simpy.Event]]) -> Any:
        """Asks for one entry at a time, again and again until it is granted."""
        for number, bank in enumerate(banks):
            granted = self.env.event()
            asking[pe] = bank, granted
            yield granted
            self.take_entry(number)

    def arbiters(self, asking: dict[int, tuple[int, simpy.Event]]) -> Any:
        """In the middle of each cycle a bank grants its first asker, counted from the PE whose turn it is.
        Returns in the middle of the last granting cycle."""
        turn = 1
        yield self.env.timeout(1.5)
        while asking:
            taken: set[int] = set()
            for pe in sorted(asking, key=lambda pe: (pe - turn) % self.pes):
                bank, granted = asking[pe]
                if bank in taken:
                    self.stalls += 1
                else:
                    taken.add(bank)
                    del asking[pe]
                    granted.succeed()
            # Those that were granted ask again in this cycle, if they have more to do.
            yield self.env.timeout(0)
            if asking:
                yield self.env.timeout(1)
            turn += 1
