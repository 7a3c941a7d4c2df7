"""The RunForge engine: turns a request into a recorded run."""
