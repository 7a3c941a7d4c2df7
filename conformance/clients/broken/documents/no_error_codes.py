"""Gives its own codes for errors."""

from base import Client, Message, serve


class Broken(Client):
    """Speaks another language of errors."""

    def answer(self, message: Message) -> Message:
        answer = super().answer(message)
        if "error" in answer:
            answer["error"]["code"] = "E42"
        return answer


serve(Broken())
