"""The documentation as a site: pages from elsewhere in the repository, the API, notebooks, the order of all."""
