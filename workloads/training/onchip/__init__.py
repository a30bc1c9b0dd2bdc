"""Training on chip: forward, backward and update in integers, one sample at a time."""
