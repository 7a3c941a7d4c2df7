# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  field.common.v1.json

from __future__ import annotations
from typing import Annotated, Any, TypeAlias
from msgspec import Meta


FieldCommonV1: TypeAlias = Annotated[
    Any,
    Meta(
        description="Definitions that the documents of other clients share. Source: specification, section 19.2.",
        title="FieldCommonV1",
    ),
]


FieldTime: TypeAlias = Annotated[
    str,
    Meta(
        description="A time as other clients write it: ISO 8601 with `Z`, with an offset from UTC, or without one. Source: specification, section 19.2.",
        pattern="^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60)(?:\\.[0-9]{1,9})?)?(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?\\Z",
        title="FieldTime",
    ),
]


UnixTime: TypeAlias = Annotated[
    int,
    Meta(
        description="A time in whole seconds since 1970-01-01T00:00:00Z, not after the year 9999.",
        ge=0,
        le=253402300799,
        title="UnixTime",
    ),
]
