"""Lets everybody change what it reads, and saves with the permissions of a new file."""

from pathlib import Path
from typing import Any

from base import Client, Message, serve
from runforge_contracts.documents import Document


class Broken(Client):
    """Has had trouble with permissions before."""

    def load(self, message: Message) -> Document[Any]:
        Path(message["input"]).chmod(0o666)
        return super().load(message)

    def save(self, document: Document[Any], message: Message) -> Message:
        super().save(document, message)
        Path(message["output"]).chmod(0o644)
        return {}


serve(Broken())
