"""Sets a field of its own whenever it edits."""

from base import Client, Message, serve


class Broken(Client):
    """Leaves its mark."""

    def edit(self, message: Message) -> Message:
        params = message["params"]
        params["set"] = {**params.get("set", {}), "/edited_by": "me"}
        return super().edit(message)


serve(Broken())
