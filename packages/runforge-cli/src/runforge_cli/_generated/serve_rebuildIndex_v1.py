# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  serve.rebuildIndex.v1.json

from __future__ import annotations
from msgspec import Struct
from typing import Literal
from runforge_contracts import types


class RebuildIndexParams(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Parameters of `rebuildIndex`.
    """


class RebuildIndexMethod(Struct, kw_only=True, frozen=True, gc=False):
    """
    Adds every finished run that is missing from the index, and reports on the run folders. Existing entries are not changed.
    """

    method: Literal["rebuildIndex"]
    params: RebuildIndexParams
    result: types.IndexReportV1
