"""Shows an error wherever the member stands, also where it is null."""

from base import Client, Message, serve


class Broken(Client):
    """Takes the presence of a member for its value."""

    def read(self, message: Message) -> Message:
        shown = super().read(message)
        if "error" in self.load(message).raw and not shown.get("error"):
            shown["error"] = {"message": "null", "type": "null"}
        return shown


serve(Broken())
