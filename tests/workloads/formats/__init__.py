"""Networks from the files and models of other tools."""
