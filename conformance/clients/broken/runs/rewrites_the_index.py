"""Writes the index anew with every run, with the newest first."""

import json

from base import Message, answer, serve, store_of


def spoiled(message: Message) -> Message:
    done = answer(message)
    path = store_of(message) / "index.json"
    if message["op"] == "execute" and path.exists():
        index = json.loads(path.read_bytes())
        index["runs"].reverse()
        path.write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return done


serve(spoiled)
