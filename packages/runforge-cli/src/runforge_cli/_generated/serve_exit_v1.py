# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.exit.v1.json

from __future__ import annotations
from msgspec import Struct
from typing import Literal


class ExitParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `exit`.
    """


class ExitNotification(Struct, kw_only=True, frozen=True, gc=False):
    """
    Ends the process, with the exit code 0 after `shutdown`, else 1.
    """

    method: Literal["exit"]
    params: ExitParams
