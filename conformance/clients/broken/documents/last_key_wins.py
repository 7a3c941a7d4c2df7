"""Takes the last of two equal keys, any encoding, and what Python takes for a number."""

import json
from pathlib import Path
from typing import Any

from base import Client, Message, serve
from runforge_contracts.documents import Document, struct_of
from runforge_contracts.errors import ErrorCode, RunForgeError


class Broken(Client):
    """Leaves reading to the language's own reader of JSON; validates then."""

    def load(self, message: Message) -> Document[Any]:
        text = Path(message["input"]).read_bytes().decode("utf-8-sig", "replace")
        try:
            tidy = json.dumps(json.loads(text)).replace("NaN", "0").replace("-Infinity", "0")
        except (ValueError, RecursionError):
            raise RunForgeError(ErrorCode.JSON_INVALID, "This is not JSON.") from None
        tidy = tidy.replace("Infinity", "0").replace("\\ud800", "")
        return Document.parse(tidy.encode(), struct_of(message["document"]))


serve(Broken())
