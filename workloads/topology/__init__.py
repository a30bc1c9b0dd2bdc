"""Networks as they are described: stages, topologies, trained and integer networks, and their files."""
