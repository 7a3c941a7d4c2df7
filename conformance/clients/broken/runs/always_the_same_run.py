"""Gives the same good run for every request."""

from base import Message, canned, serve


def answer(message: Message) -> Message:
    return canned(message, "runs/v0.4.0")


serve(answer)
