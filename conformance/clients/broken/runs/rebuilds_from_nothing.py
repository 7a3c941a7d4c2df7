"""Throws the index away before it rebuilds it."""

from base import Message, answer, serve, store_of


def spoiled(message: Message) -> Message:
    (store_of(message) / "index.json").unlink(missing_ok=True)
    return answer(message)


serve(spoiled)
