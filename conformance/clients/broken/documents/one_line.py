"""Writes documents on one line, with a byte order mark and sorted keys."""

import json
from pathlib import Path
from typing import Any

from base import Client, Message, serve
from runforge_contracts.documents import Document


class Broken(Client):
    """Writes JSON, but not in the contract's form."""

    def save(self, document: Document[Any], message: Message) -> Message:
        super().save(document, message)
        text = json.dumps(dict(sorted(document.raw.items(), reverse=True)))
        Path(message["output"]).write_bytes(b"\xef\xbb\xbf" + text.encode())
        return {}


serve(Broken())
