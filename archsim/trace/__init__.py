"""A run over time: what each unit does in every cycle, and why it waits, as intervals, waves and traces."""
