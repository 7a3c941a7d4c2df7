"""Keeps the index of a new store where older clients kept theirs."""

from base import Message, answer, serve, store_of


def spoiled(message: Message) -> Message:
    done = answer(message)
    index = store_of(message) / "index.json"
    if message["op"] == "execute" and index.exists():
        (store_of(message) / "outputs").mkdir()
        index.rename(store_of(message) / "outputs/index.json")
    return done


serve(spoiled)
