"""The process of a command: isolation, interruption, encoding, exit."""
