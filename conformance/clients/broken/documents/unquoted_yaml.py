"""Writes texts without quotes where YAML 1.2 needs none."""

import re
from pathlib import Path
from typing import Any

from base import ExperimentClient, Message, serve
from runforge_contracts.codec.strict_yaml import parse_yaml
from runforge_contracts.documents import Document


class Broken(ExperimentClient):
    """Thinks that every reader reads the newest version."""

    def save(self, document: Document[Any], message: Message) -> Message:
        super().save(document, message)
        path = Path(message["output"])
        if path.suffix == ".yaml":
            text = re.sub(r'"([\w.:-]+)"', unquoted, path.read_text("utf-8"))
            path.write_bytes(text.encode())
        return {}


def unquoted(text: re.Match[str]) -> str:
    """Return a string without its quotes if it is still a string."""
    return text[1] if parse_yaml(text[1].encode()) == text[1] else text[0]


serve(Broken())
