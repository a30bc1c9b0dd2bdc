"""The engines themselves, one file each: sizes, description, and all that hardware knows of itself."""
