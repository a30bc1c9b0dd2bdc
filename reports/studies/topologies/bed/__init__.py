"""A bed on which topologies are compared: its layers, measured without data and trained."""
