"""Shows every duration in seconds."""

from base import Client, Message, serve


class Broken(Client):
    """Has one unit."""

    def read(self, message: Message) -> Message:
        shown = super().read(message)
        if "duration" in shown:
            shown["duration"] = f"{self.load(message).raw['duration_ms'] / 1000:.1f}s"
        return shown


serve(Broken())
