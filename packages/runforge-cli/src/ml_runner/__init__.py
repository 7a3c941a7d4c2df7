"""Entry point of the contract for editors: python -m ml_runner."""
