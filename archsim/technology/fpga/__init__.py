"""FPGAs: devices, what their resources cost, and the power reports behind it."""
