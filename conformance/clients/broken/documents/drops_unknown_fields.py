"""Drops the fields that it does not know when it saves."""

from typing import Any

import msgspec
from base import Client, Message, serve
from runforge_contracts.documents import Document


class Broken(Client):
    """Saves the typed view in place of the document."""

    def save(self, document: Document[Any], message: Message) -> Message:
        return super().save(Document(msgspec.to_builtins(document.view), document.name), message)


serve(Broken())
