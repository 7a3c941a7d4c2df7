"""Reads run records of its own version alone, shows none of their particulars, and any version."""

from base import Client, Message, serve
from runforge_contracts.errors import ErrorCode, RunForgeError


class Broken(Client):
    """Has forgotten where it came from."""

    def read(self, message: Message) -> Message:
        name = message["document"]
        if name.startswith("run.") and name != "run.v0.4.0":
            raise RunForgeError(ErrorCode.DOCUMENT_VERSION_UNSUPPORTED, "Too old.", pointer="")
        try:
            shown = super().read(message)
        except RunForgeError as error:
            if error.code is ErrorCode.DOCUMENT_VERSION_UNSUPPORTED:
                return {"warnings": ["This is newer."]}
            raise
        hidden = ("run_id", "diagnostics", "name", "tags")
        return {key: value for key, value in shown.items() if key not in hidden}


serve(Broken())
