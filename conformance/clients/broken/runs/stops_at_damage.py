"""Lists nothing where one run cannot be read, and repairs an index that it was to read."""

import json

from base import Message, answer, serve, store_of


def spoiled(message: Message) -> Message:
    try:
        for path in store_of(message).glob("*.json"):
            json.loads(path.read_bytes())
        for path in store_of(message).glob("runs/*/run.json"):
            json.loads(path.read_bytes())
    except ValueError:
        if message["op"] == "list":
            (store_of(message) / "index.json").unlink(missing_ok=True)
        return {"outcome": "rejected", "error": {"code": "JSON_INVALID", "message": "Broken."}}
    return answer(message)


serve(spoiled)
