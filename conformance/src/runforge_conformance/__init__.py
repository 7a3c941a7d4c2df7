"""The RunForge conformance suite."""
