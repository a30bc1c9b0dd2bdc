"""Layers of the families as modules of PyTorch: `archsim.torch` has their names."""
