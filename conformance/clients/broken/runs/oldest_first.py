"""Lists the oldest run first."""

from base import Message, answer, serve


def spoiled(message: Message) -> Message:
    done = answer(message)
    if "runs" in done.get("view", {}):
        done["view"]["runs"].reverse()
    return done


serve(spoiled)
