# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  vectors.v1.json

from __future__ import annotations
from msgspec import Meta, Struct
from . import protocol_v1, requirements_v1
from typing import Annotated, Literal


class CaseEntry(Struct, kw_only=True, frozen=True, gc=False):
    """
    One case.
    """

    id: str
    file: str
    requirement: str
    level: requirements_v1.Level
    role: protocol_v1.Role


class FileDigest(Struct, kw_only=True, frozen=True, gc=False):
    """
    Digest and size of a file.
    """

    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}\\Z")]
    bytes: Annotated[int, Meta(ge=0)]


class VectorsV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Every case and file of the test vectors: `manifest.json`. Generated.
    """

    schema_version: Literal["conformance_vectors.v1"]
    suite: Annotated[str, Meta(description="Version of the suite.")]
    contract: Literal[1]
    files: Annotated[
        dict[str, FileDigest], Meta(description="Digests of the files, by path.")
    ]
    cases: list[CaseEntry]
