"""All published comparisons as one site: every study's page, and an index of all claims."""
