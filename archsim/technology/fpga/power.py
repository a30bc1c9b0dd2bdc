"""The kinds of power of FPGA fabric, by what each is counted, and how its coefficients are called."""

from __future__ import annotations

COUNTED = {"logic": "lut", "signals": "lut", "clocks": "ff", "bram": "bram36", "dsp": "dsp"}
"""The kinds of fabric power, and the resource that each is counted by."""


def quantity_name(kind: str) -> str:
    """What a coefficient is called in the data files, after the name of its set."""
    return f"{kind}_j_per_{COUNTED[kind]}"
