"""The ``runforge`` command: parses arguments, calls the engine and prints the results."""

__version__ = "0.4.0"

#: The name of this client in the requests that it writes.
CLIENT = f"runforge-cli@{__version__}"
