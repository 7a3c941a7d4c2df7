"""Accepts whatever it reads."""

from base import Client, Message, serve
from runforge_contracts.errors import RunForgeError


class Broken(Client):
    """Trusts every file."""

    def read(self, message: Message) -> Message:
        try:
            return super().read(message)
        except RunForgeError:
            return {}


serve(Broken())
