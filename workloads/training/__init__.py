"""From a recipe to a trained network, and from its floats to integers."""
