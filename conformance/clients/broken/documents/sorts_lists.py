"""Sorts lists of strings and drops duplicates."""

from typing import Any

from base import Client, Message, serve
from runforge_contracts.documents import Document


class Broken(Client):
    """Takes a list for a set."""

    def save(self, document: Document[Any], message: Message) -> Message:
        raw = dict(document.raw)
        if document.name == "request.v1" and "tags" in raw:
            raw["tags"] = sorted(set(raw["tags"]))
        return super().save(Document(raw, document.name), message)


serve(Broken())
