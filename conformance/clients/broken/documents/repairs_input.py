"""Replaces a document that it cannot read by an empty one before it edits."""

from pathlib import Path

from base import Client, Message, serve
from runforge_contracts.errors import RunForgeError


class Broken(Client):
    """Means well."""

    def edit(self, message: Message) -> Message:
        try:
            return super().edit(message)
        except RunForgeError:
            Path(message["output"]).write_text("{}\n")
            raise


serve(Broken())
