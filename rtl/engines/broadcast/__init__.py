"""Engines that find activations which are not zero and send them to all PEs, which queue them."""
