"""The page about many design points, and the files beside it."""
