"""An engine that trains: forward, backward and update of one sample at a time, for strided blocks."""
