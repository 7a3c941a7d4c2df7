# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  provenance.v1.json

from __future__ import annotations
from typing import Annotated, Any, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


ProvenanceDefinitions: TypeAlias = Annotated[
    Any,
    Meta(
        description="Where a run came from: code, interpreter, packages, machine. Source: RunForge contract, Documents and versions; RunForge guarantees, Provenance.",
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
            pattern="^[0-9a-f]{40}(?:[0-9a-f]{24})?$(?!\\n)",
        ),
    ]
    dirty: Annotated[
        bool,
        Meta(
            description="Whether anything differed from the commit, untracked files included; the store is left out."
        ),
    ]
    diff_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="Digest of everything that differed from the commit; present exactly when the state is dirty."
            ),
        ]
        | UnsetType
    ) = UNSET
    diff_unread_files: (
        Annotated[
            int,
            Meta(
                description="Changed files that count by their size alone, because they were too large or could not be read.",
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
    The machine, as far as it can change a bit of the model.
    """

    os: str
    machine: str
    libc: str | UnsetType = UNSET
    cpu: str | UnsetType = UNSET


class BlasLibrary(Struct, kw_only=True, frozen=True, gc=False):
    """
    A linear algebra or threading library as loaded.
    """

    library: Annotated[
        str,
        Meta(description="Name of the library's file, whose suffix tells the build."),
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
            description="Whether kernels and threads in force are the ones that are equal on every machine."
        ),
    ]
    environment: Annotated[
        dict[str, str],
        Meta(
            description="Environment variables in force that steer the numeric libraries."
        ),
    ]
    threads: (
        Annotated[
            common_v1.Count,
            Meta(description="Threads that the libraries use, where they tell."),
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
            description="Versions of every package that can change a bit of the model."
        ),
    ]
    platform: Platform
    numerics: Numerics
    git: GitState | UnsetType = UNSET
    left_out: (
        Annotated[
            list[LeftOutItem],
            Meta(
                description="What was left out of the run's documents on request, because it identifies a person or a machine: `dataset.path` (the folder of the dataset), `python.executable`, `paths` (folders in messages and tracebacks). Absent where nothing was.",
                min_length=1,
            ),
        ]
        | UnsetType
    ) = UNSET
