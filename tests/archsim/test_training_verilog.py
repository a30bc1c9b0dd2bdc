"""The exported engine trains in Icarus Verilog: the loss falls, weights are those of the specification."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from archsim.engine.training import TrainingMapping, shift_words
from rtl.engines.training.machine import TARGETS, build_training
from rtl.verilog.writer import write_verilog
from tests.workloads.synthetic import patches, recipe
from workloads.training.onchip.run import OnChipRun

SAMPLES = 120
BENCH = """
`timescale 1ns/1ps
module bench;
  reg clk = 0, reset = 1, start = 0, unload = 0, load_enable = 0;
  reg [LABEL-1:0] label = 0;
  reg [1:0] load_target = 0;
  reg [UNIT-1:0] load_unit = 0;
  reg [ADDRESS-1:0] load_address = 0;
  reg [DATA-1:0] load_data = 0;
  wire done;
  wire [WEIGHT-1:0] unloaded;
  reg [31:0] command[0:COMMANDS-1];
  reg [31:0] value[0:COMMANDS-1];
  integer i, cycles;
  archsim_engine engine(.clk(clk), .reset(reset), .start(start), .label(label), .unload(unload),
    .load_enable(load_enable), .load_target(load_target), .load_unit(load_unit),
    .load_address(load_address), .load_data(load_data), .done(done), .unloaded(unloaded));
  always #1 clk = ~clk;
  initial begin
    $readmemh("commands.hex", command);
    $readmemh("values.hex", value);
    @(negedge clk); @(negedge clk); reset = 0;
    for (i = 0; i < COMMANDS; i = i + 1) begin
      load_enable = command[i][31]; unload = command[i][30]; start = command[i][29];
      load_target = command[i][25:24]; load_unit = command[i][23:16]; load_address = command[i][15:0];
      load_data = value[i]; label = value[i];
      @(negedge clk);
      if (unload) $display("weight %0d", $signed(unloaded));
      if (start) begin
        start = 0;
        cycles = 0;
        while (!done) begin cycles = cycles + 1; @(negedge clk); end
        $display("cycles %0d", cycles);
      end
    end
    $finish;
  end
endmodule
"""


def command(target: str, unit: int, address: int, *, flag: int = 31) -> int:
    return 1 << flag | TARGETS.index(target) << 24 | unit << 16 | address


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog is not installed (Debian: iverilog)"
)
def test_the_exported_engine_trains_from_random_weights_to_a_falling_loss_in_icarus(tmp_path: Path) -> None:
    layers = [
        {"family": "clos", "outputs": 12, "ingress": 6, "middle": 2, "egress": 3},
        {"family": "dense", "outputs": 4},
    ]
    chosen = recipe(
        layers=layers,
        batch=1,
        optimiser={"kind": "sgd", "momentum": 0.0},
        rate={"peak": 0.03125, "course": "constant"},
        on_chip={"pes": 4, "rounding": "stochastic"},
    )
    data = patches(2 * SAMPLES)
    run = OnChipRun(chosen, data.train_inputs, data.train_labels, data.range)
    trainer = run.trainer
    registers = tuple(trainer.words.registers.tolist())
    mapping = TrainingMapping(trainer.topology, trainer.arithmetic, registers)
    sizes, first = mapping.sizes, mapping.weight_words(trainer.of_stages)
    scales = trainer.words.scales
    mask = (1 << sizes.weight_bits) - 1
    places = list(np.ndindex(first.shape))
    commands = [(command("weight", *at), int(first[at]) & mask) for at in places]
    commands += [(command("scale", 0, stage), word) for stage, word in enumerate(shift_words(scales, 5))]
    losses = []
    for x, label in zip(run.images.astype(np.int64), data.train_labels.tolist(), strict=True):
        words = x & ((1 << sizes.activation_bits) - 1)
        commands += [(command("input", i % 4, i // 4), int(word)) for i, word in enumerate(words)]
        commands.append((1 << 29, label))
        # Scales move between windows alone, and a window is longer than this.
        trainer.words.scales = scales
        losses.append(trainer.window(x[:, None], np.array([label]), 5))
    commands += [(command("weight", *at, flag=30), 0) for at in places]
    hardware = build_training(sizes)
    inputs = {wire.name: len(wire) for wire in hardware.block.wirevector_subset() if wire.name in BENCH}
    text = BENCH
    for name, bits in {
        "LABEL": inputs["label"],
        "UNIT": inputs["load_unit"],
        "ADDRESS": inputs["load_address"],
        "DATA": inputs["load_data"],
        "WEIGHT": sizes.weight_bits,
        "COMMANDS": len(commands),
    }.items():
        text = text.replace(f"{name}-1", f"{bits - 1}").replace(f"< {name};", f"< {bits};")
    (tmp_path / "bench.v").write_text(text)
    (tmp_path / "engine.v").write_text(write_verilog(hardware.block).text)
    for file, column in (("commands.hex", 0), ("values.hex", 1)):
        (tmp_path / file).write_text("\n".join(f"{each[column]:x}" for each in commands))
    compiled = ["iverilog", "-g2012", "-Wall", "-Wno-timescale", "-o", "run", "bench.v", "engine.v"]
    subprocess.run(compiled, cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        ["vvp", "run"], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=200
    )
    said = [line.split() for line in done.stdout.splitlines()]
    assert [int(value) for kind, value in said if kind == "cycles"] == [mapping.cycles] * SAMPLES
    read = np.array([int(value) for kind, value in said if kind == "weight"]).reshape(first.shape)
    for found, expected in zip(mapping.weights_of(read), trainer.of_stages, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert np.mean(losses[-30:]) < 0.6 * np.mean(losses[:30])
