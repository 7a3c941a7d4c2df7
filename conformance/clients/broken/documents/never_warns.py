"""Shows a newer result as if nothing were the matter, and no error of any run."""

from base import Client, Message, serve


class Broken(Client):
    """Hides what might worry a person."""

    def read(self, message: Message) -> Message:
        shown = {**super().read(message), "warnings": []}
        if shown.get("error"):
            shown["error"] = None
        return shown


serve(Broken())
