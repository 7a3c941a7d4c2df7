"""Move a store to another place or disk: its workspace has a link to it."""
