"""Leaves a file beside each that it reads or writes."""

from pathlib import Path
from typing import Any

from base import Client, Message, serve
from runforge_contracts.documents import Document


class Broken(Client):
    """Does not tidy up."""

    def load(self, message: Message) -> Document[Any]:
        Path(message["input"]).with_suffix(".lock").touch()
        return super().load(message)


serve(Broken())
