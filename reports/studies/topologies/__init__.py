"""Experiments on topologies that several papers' claims rest on: trainings, cascades, decompositions."""
