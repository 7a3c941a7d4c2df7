"""Ends without a word in the middle of one case."""

import os

from base import Client, Message, serve


class Broken(Client):
    """Does not survive a rename."""

    def edit(self, message: Message) -> Message:
        if message["case"] == "request.v1/edit/rename":
            os._exit(7)
        return super().edit(message)


serve(Broken())
