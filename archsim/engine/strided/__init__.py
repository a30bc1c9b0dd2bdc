"""Stages of dense blocks at fixed strides: their pieces, the schedule of a piece, and the best order."""
