"""Prints what is no message before it answers one case."""

from base import Client, Message, serve


class Broken(Client):
    """Left a print statement in."""

    def edit(self, message: Message) -> Message:
        if message["case"] == "request.v1/edit/rename":
            print("renaming", flush=True)
        return super().edit(message)


serve(Broken())
