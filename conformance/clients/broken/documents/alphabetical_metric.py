"""Takes the first metric in alphabetical order, whatever there is."""

from base import Client, Message, serve


class Broken(Client):
    """Does not know the policy."""

    def read(self, message: Message) -> Message:
        document = self.load(message)
        shown = super().read(message)
        metrics = (document.raw.get("summary") or {}).get("metrics") or {}
        if document.name == "result.v1" and metrics:
            name = min(metrics)
            shown["primary_metric"] = {"name": name, "value": metrics[name]}
        return shown


serve(Broken())
