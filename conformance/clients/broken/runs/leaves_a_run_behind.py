"""Refuses every request, but only after it has made a folder for the run."""

from base import Message, serve, store_of


def answer(message: Message) -> Message:
    (store_of(message) / "runs/20260201-120000-00000000").mkdir(parents=True, exist_ok=True)
    return {"outcome": "rejected", "error": {"code": "INTERNAL", "message": "Too late."}}


serve(answer)
