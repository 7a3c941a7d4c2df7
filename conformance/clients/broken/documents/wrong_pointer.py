"""Says of every mistake that it is at the root."""

from base import Client, Message, serve


class Broken(Client):
    """Knows that, but not where."""

    def answer(self, message: Message) -> Message:
        answer = super().answer(message)
        if "error" in answer:
            answer["error"]["path"] = "/"
        return answer


serve(Broken())
