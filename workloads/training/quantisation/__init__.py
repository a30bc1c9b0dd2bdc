"""From the floats of a trained network to the integers that hardware runs."""
