"""Says of every run that it lies outside the workspace."""

from base import Message, canned, serve


def answer(message: Message) -> Message:
    done = canned(message, "runs/v0.4.0")
    return {**done, "view": {**done["view"], "run_dir": "/"}}


serve(answer)
