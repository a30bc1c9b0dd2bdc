"""Block diagrams of engines: boxes in layers, lines between them, as SVG."""
