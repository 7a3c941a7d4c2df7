# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  tfc.manifest.v1.json

from __future__ import annotations
from typing import Literal
from msgspec import Struct
from . import common_v1, tfc_common_v1


class ExperimentManifestV1(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Digest and size of every other file of an experiment's run, that of its final configuration included. Source: specification, section 17.10.
    """

    schema_version: Literal["tfc.manifest.v1"]
    run_id: tfc_common_v1.ExperimentRunId
    files: common_v1.FileDigests
