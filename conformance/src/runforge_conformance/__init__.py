"""The RunForge conformance suite: whether a client keeps the contract."""

__version__ = "0.4.0"
