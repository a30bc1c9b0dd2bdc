"""The documentation as a site: pages of the whole repository, the API, notebooks, and their order."""
