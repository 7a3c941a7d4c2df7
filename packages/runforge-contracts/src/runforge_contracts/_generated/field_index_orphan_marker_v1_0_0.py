# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.index_orphan_marker.v1.0.0.json

from __future__ import annotations
from msgspec import Struct, UNSET, UnsetType
from typing import Literal
from . import field_common_v1


class IndexOrphanError(Struct, kw_only=True, frozen=True, gc=False):
    """
    Why the index was not written.
    """

    message: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    traceback: str | UnsetType = UNSET


class IndexOrphanMarkerV100(Struct, kw_only=True, frozen=True, gc=False):
    """
    `.index-orphan`: the engine of the editor extension could not add the run to its index. Source: specification, section 19.7.
    """

    schema_version: Literal["index-orphan.v1.0.0"]
    run_id: str
    run_dir: str | UnsetType = UNSET
    written_at: field_common_v1.FieldTime | UnsetType = UNSET
    error: IndexOrphanError | UnsetType = UNSET
    index_path: str | UnsetType = UNSET
