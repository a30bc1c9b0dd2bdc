"""An engine that the project does not have, in the two files that an engine is."""
