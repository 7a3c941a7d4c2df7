# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  diagnostics.v1.json

from __future__ import annotations
from typing import Literal
from msgspec import Struct
from . import common_v1


class DiagnosticsV1(
    Struct, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True
):
    """
    Explanations of the behaviour of a run; always present, possibly empty. Source: specification, section 15.3.
    """

    schema_version: Literal["diagnostics.v1"]
    run_id: common_v1.RunId
    diagnostics: list[common_v1.Diagnostic]
