"""How it is shown: the command line, tables, charts, pages, and the studies of published work."""
