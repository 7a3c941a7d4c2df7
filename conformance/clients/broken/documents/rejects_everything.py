"""Rejects every document."""

from base import Client, Message, serve


class Broken(Client):
    """Trusts no file."""

    def answer(self, message: Message) -> Message:
        return {"outcome": "rejected", "error": {"code": "NO", "path": "/", "message": "No."}}


serve(Broken())
