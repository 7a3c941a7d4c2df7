"""Rejects without a word."""

from base import Client, Message, serve


class Broken(Client):
    """Knows why, but does not say."""

    def answer(self, message: Message) -> Message:
        answer = super().answer(message)
        if "error" in answer:
            answer["error"]["message"] = ""
        return answer


serve(Broken())
