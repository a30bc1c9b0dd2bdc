"""Points costed, each kept once it is finished: one by one, many at once, and by workers elsewhere."""
