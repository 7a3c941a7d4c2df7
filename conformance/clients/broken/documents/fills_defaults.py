"""Writes defaults where the document said nothing."""

from typing import Any

from base import Client, Message, serve
from runforge_contracts.documents import Document

DEFAULTS = {"name": None, "tags": [], "notes": None}


class Broken(Client):
    """Takes absent for null."""

    def save(self, document: Document[Any], message: Message) -> Message:
        if document.name != "request.v1":
            return super().save(document, message)
        return super().save(Document({**DEFAULTS, **document.raw}, document.name), message)


serve(Broken())
