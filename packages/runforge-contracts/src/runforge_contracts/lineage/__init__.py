"""Which runs repeat which, and what changed from one to the next."""
