"""A package that adds to archsim from outside: a family, a technology, an engine and a study, by entry points."""
