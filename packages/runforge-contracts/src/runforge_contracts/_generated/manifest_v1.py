# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  manifest.v1.json

from __future__ import annotations
from typing import Literal
from msgspec import Struct
from . import common_v1


class ManifestV1(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Digest and size of every other file of the run. Source: specification, section 5.4.
    """

    schema_version: Literal["manifest.v1"]
    run_id: common_v1.RunId
    files: common_v1.FileDigests
