"""Engines that train, one sample at a time: forward, backward and update, for strided blocks or for rings."""
