"""Loses characters that are not ASCII, long lists, and keys that begin with an underscore."""

from typing import Any

from base import Client, Message, serve
from runforge_contracts.documents import Document


def guessed(value: Any) -> Any:
    if isinstance(value, list):
        return [guessed(item) for item in value[:100]]
    if isinstance(value, dict):
        return {key: guessed(item) for key, item in value.items() if not key.startswith("_")}
    return value.encode("ascii", "replace").decode() if isinstance(value, str) else value


class Broken(Client):
    """Keeps what it can make sense of."""

    def save(self, document: Document[Any], message: Message) -> Message:
        return super().save(Document(guessed(document.raw), document.name), message)


serve(Broken())
