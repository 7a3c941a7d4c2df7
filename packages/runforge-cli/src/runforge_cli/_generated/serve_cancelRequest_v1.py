# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.cancelRequest.v1.json

from __future__ import annotations
from msgspec import Struct
from . import serve_common_v1
from typing import Literal


class CancelRequestParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `$/cancelRequest`.
    """

    id: serve_common_v1.RequestId


class CancelRequestNotification(Struct, kw_only=True, frozen=True, gc=False):
    """
    Cancels a request: one that waits is answered with the error `RequestCancelled`, a training ends and is recorded as cancelled.
    """

    method: Literal["$/cancelRequest"]
    params: CancelRequestParams
