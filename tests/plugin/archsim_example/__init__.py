"""A package that adds to archsim from outside by entry points: a family, a technology, an engine, a study."""
