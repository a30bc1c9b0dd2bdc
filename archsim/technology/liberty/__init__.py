"""A reader of Liberty files, which takes from a cell what this project uses."""
