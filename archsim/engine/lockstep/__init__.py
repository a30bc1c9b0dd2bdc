"""How a network lies on PEs that march in step: the plan of a stage, its mapping, and its events."""
