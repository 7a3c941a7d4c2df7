"""Gives a run with one fault for every request; which fault, its argument says."""

import sys

from base import Message, canned, serve


def answer(message: Message) -> Message:
    return canned(message, f"runs/faulty/{sys.argv[1]}")


serve(answer)
