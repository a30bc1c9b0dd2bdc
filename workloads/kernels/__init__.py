"""How stages multiply while they are trained, each beside a plain reference."""
