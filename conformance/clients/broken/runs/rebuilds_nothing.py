"""Says that the index was rebuilt, and does nothing."""

from base import Message, serve


def answer(message: Message) -> Message:
    return {"outcome": "accepted", "view": {"runs": []}}


serve(answer)
