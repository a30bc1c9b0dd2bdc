"""Charts and pictures as SVG text."""
