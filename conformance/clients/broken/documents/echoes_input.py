"""Copies what it is given: it looks at no document that it saves, and makes no edit."""

import shutil

from base import AnyClient, Message, serve


class Broken(AnyClient):
    """Keeps everything by doing nothing."""

    def roundtrip(self, message: Message) -> Message:
        if message["input"] != message["output"]:
            shutil.copyfile(message["input"], message["output"])
        return {}

    edit = roundtrip


serve(Broken())
