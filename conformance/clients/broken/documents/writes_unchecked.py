"""Writes a document whether or not it is valid."""

from pathlib import Path

from base import Client, Message, serve
from runforge_contracts.codec.strict_json import encode_json
from runforge_contracts.schemas import in_schema_order


class Broken(Client):
    """Validates nothing that it makes itself."""

    def write(self, message: Message) -> Message:
        if "not_computable" in message["params"]:
            return super().write(message)
        document = in_schema_order(message["params"]["fields"], message["document"])
        Path(message["output"]).write_bytes(encode_json(document))
        return {}


serve(Broken())
