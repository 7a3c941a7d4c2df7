# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  provenance.v1.json

from __future__ import annotations
from typing import Annotated, Any, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


ProvenanceDefinitions: TypeAlias = Annotated[
    Any,
    Meta(
        description="Provenance of a run: code, interpreter, packages and machine. Source: specification, section 14.1.",
        title="ProvenanceDefinitions",
    ),
]


class GitState(Struct, kw_only=True, frozen=True, gc=False):
    """
    State of the repository that holds the workspace.
    """

    commit: Annotated[
        str,
        Meta(
            description="Commit checked out, in full.",
            pattern="^[0-9a-f]{40}(?:[0-9a-f]{24})?\\Z",
        ),
    ]
    dirty: Annotated[
        bool,
        Meta(
            description="Whether any file differs from the commit, including untracked files but not the store."
        ),
    ]
    diff_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="Digest of all differences from the commit; present only if the state is dirty."
            ),
        ]
        | UnsetType
    ) = UNSET
    diff_unread_files: (
        Annotated[
            int,
            Meta(
                description="Changed files of which only the size is part of the digest, because they are too large or unreadable.",
                ge=1,
                le=9007199254740991,
            ),
        ]
        | UnsetType
    ) = UNSET


class PythonRuntime(Struct, kw_only=True, frozen=True, gc=False):
    """
    The interpreter.
    """

    version: str
    implementation: str
    executable: str | UnsetType = UNSET


class Platform(Struct, kw_only=True, frozen=True, gc=False):
    """
    Properties of the machine that can change the bytes of the model.
    """

    os: str
    machine: str
    libc: str | UnsetType = UNSET
    cpu: str | UnsetType = UNSET
    host: (
        Annotated[
            str,
            Meta(
                description="Name of the machine, if the run was made by a worker on another machine than the store's; absent otherwise.",
                max_length=255,
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET


class BlasLibrary(Struct, kw_only=True, frozen=True, gc=False):
    """
    A linear algebra or threading library as loaded.
    """

    library: Annotated[
        str,
        Meta(
            description="Name of the library's file, whose suffix identifies the build."
        ),
    ]
    api: (
        Annotated[
            str,
            Meta(description="Programming interface, such as `openblas` or `openmp`."),
        ]
        | UnsetType
    ) = UNSET
    version: str | UnsetType = UNSET
    architecture: Annotated[str, Meta(description="Kernel in use.")] | UnsetType = UNSET
    threads: common_v1.Count | UnsetType = UNSET


class Numerics(Struct, kw_only=True, frozen=True, gc=False):
    """
    The numeric environment.
    """

    blas: list[BlasLibrary]
    pinned: Annotated[
        bool,
        Meta(
            description="Whether the kernels and threads in use are the portable ones."
        ),
    ]
    environment: Annotated[
        dict[str, str],
        Meta(description="Environment variables that configure the numeric libraries."),
    ]
    threads: (
        Annotated[
            common_v1.Count,
            Meta(
                description="Number of threads that the libraries use, if they report it."
            ),
        ]
        | UnsetType
    ) = UNSET
    simd: (
        Annotated[list[str], Meta(description="Processor features that numpy uses.")]
        | UnsetType
    ) = UNSET


LeftOutItem: TypeAlias = Annotated[str, Meta(min_length=1)]


class Provenance(Struct, kw_only=True, frozen=True, gc=False):
    """
    Code, interpreter, packages and machine of a run.
    """

    python: PythonRuntime
    client: Annotated[
        str, Meta(description="Client that wrote the request, as `<client>@<version>`.")
    ]
    packages: Annotated[
        dict[str, str],
        Meta(
            description="Versions of every package that can change the bytes of the model."
        ),
    ]
    platform: Platform
    numerics: Numerics
    git: GitState | UnsetType = UNSET
    left_out: (
        Annotated[
            list[LeftOutItem],
            Meta(
                description="Values left out of the run's documents on request, because they identify a person or a machine: `dataset.path` (the folder of the dataset), `dataset.recipe` (that of the recipe), `python.executable`, `paths` (folders in messages and tracebacks). Absent if nothing was left out.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
