"""Reads YAML 1.1, in which `no` is false and a date is a date."""

import json
from pathlib import Path

import yaml
from base import ExperimentClient, Message, serve
from runforge_contracts.documents import Document, struct_of


class Broken(ExperimentClient):
    """Leaves reading to the language's best known reader of YAML when it saves."""

    def roundtrip(self, message: Message) -> Message:
        if not message["input"].endswith(".yaml"):
            return super().roundtrip(message)
        raw = yaml.safe_load(Path(message["input"]).read_bytes())
        text = json.dumps(raw, default=str).encode()
        return self.save(Document.parse(text, struct_of(message["document"])), message)


serve(Broken())
