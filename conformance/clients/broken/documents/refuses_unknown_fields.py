"""Refuses fields that it does not know, byte order marks, and integers written as 1.0."""

from pathlib import Path

import msgspec
from base import Client, Message, serve
from runforge_contracts.codec.strict_json import parse_json
from runforge_contracts.documents import struct_of
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.schemas import load_schema


class Broken(Client):
    """Knows everything there will ever be."""

    def read(self, message: Message) -> Message:
        shown = super().read(message)
        data = Path(message["input"]).read_bytes()
        known = list(load_schema(message["document"])["properties"])
        found = list(parse_json(data))
        in_order = [key for key in known if key in found] == found
        try:
            msgspec.json.decode(data, type=struct_of(message["document"]))
        except (msgspec.ValidationError, msgspec.DecodeError):
            in_order = False
        if not in_order:
            raise RunForgeError(ErrorCode.DOCUMENT_INVALID, "This is not what I expected.")
        return shown


serve(Broken())
