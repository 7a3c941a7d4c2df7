"""Accepts whatever it reads of an experiment."""

from base import ExperimentClient, Message, serve
from runforge_contracts.errors import RunForgeError


class Broken(ExperimentClient):
    """Trusts every experiment and every run of one."""

    def read(self, message: Message) -> Message:
        try:
            return super().read(message)
        except RunForgeError:
            return {}


serve(Broken())
