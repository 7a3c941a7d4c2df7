"""The runforge command: it parses, calls the engine and shows; it decides nothing."""

__version__ = "0.4.0"

#: How this client names itself in the requests that it writes.
CLIENT = f"runforge-cli@{__version__}"
