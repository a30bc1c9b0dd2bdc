"""Standard cells: the project's own 65 nm process, its scaling to other nodes, and the user's libraries."""
