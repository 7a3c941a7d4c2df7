"""The full-screen browser of the store; nothing here writes to the store."""
