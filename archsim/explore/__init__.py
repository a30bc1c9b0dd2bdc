"""Many design points: what they are, what came of them, and which of them are best."""
