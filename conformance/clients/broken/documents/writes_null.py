"""Writes null for what there is no value for."""

import json
from pathlib import Path
from typing import Any

from base import Client, Message, serve
from runforge_contracts.schemas import load_schema


class Broken(Client):
    """Writes every field of the schema, known or not."""

    def write(self, message: Message) -> Message:
        answer = super().write(message)
        if answer.get("outcome") != "rejected":
            known: dict[str, Any] = dict.fromkeys(load_schema(message["document"])["properties"])
            document = {**known, **json.loads(Path(message["output"]).read_bytes())}
            Path(message["output"]).write_text(json.dumps(document, indent=2) + "\n")
        return answer


serve(Broken())
