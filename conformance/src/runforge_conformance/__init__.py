"""The RunForge conformance suite: does a client keep the contract?"""

__version__ = "0.4.0"
