"""Leaves out what is null when it saves."""

from typing import Any

from base import Client, Message, serve
from runforge_contracts.documents import Document


def without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


class Broken(Client):
    """Takes null for absent."""

    def save(self, document: Document[Any], message: Message) -> Message:
        return super().save(Document(without_nulls(document.raw), document.name), message)


serve(Broken())
