"""Saves an edit before it looks whether the document is still valid."""

import copy
from pathlib import Path

from base import Client, Message, serve
from runforge_contracts.codec.pointers import remove_at, set_at
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.validation import validate


class Broken(Client):
    """Notices too late."""

    def edit(self, message: Message) -> Message:
        document = self.load(message)
        raw = copy.deepcopy(document.raw)
        for pointer, value in message["params"].get("set", {}).items():
            set_at(raw, pointer, value)
        for pointer in message["params"].get("remove", ()):
            remove_at(raw, pointer)
        Path(message["output"]).write_bytes(encode_json(raw))
        validate(raw, document.name)
        return {}


serve(Broken())
