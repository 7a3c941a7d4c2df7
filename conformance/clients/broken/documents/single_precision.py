"""Keeps numbers in single precision."""

import struct
from typing import Any

from base import Client, Message, serve
from runforge_contracts.documents import Document


def single(value: Any) -> Any:
    if isinstance(value, list):
        return [single(item) for item in value]
    if isinstance(value, dict):
        return {key: single(item) for key, item in value.items()}
    if isinstance(value, float) and 1e-30 < abs(value) < 1e30:
        return struct.unpack("f", struct.pack("f", value))[0]
    return value


class Broken(Client):
    """Saves memory."""

    def save(self, document: Document[Any], message: Message) -> Message:
        return super().save(Document(single(document.raw), document.name), message)


serve(Broken())
