"""Writes NaN where a number could not be computed."""

import json
from pathlib import Path

from base import Client, Message, serve
from runforge_contracts.codec.pointers import set_at


class Broken(Client):
    """Leaves it to the language's own writer of JSON."""

    def write(self, message: Message) -> Message:
        params = message["params"]
        if "not_computable" not in params:
            return super().write(message)
        for pointer in params["not_computable"]:
            set_at(params["fields"], pointer, float("nan"))
        Path(message["output"]).write_text(json.dumps(params["fields"], indent=2) + "\n")
        return {}


serve(Broken())
