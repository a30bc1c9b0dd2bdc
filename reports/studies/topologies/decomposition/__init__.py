"""Random matrices decomposed over topologies: the runs, and the page on them."""
