"""Where the cells and memories of a mapped netlist lie: our own placer, the wires and the clock tree of what it
placed."""
