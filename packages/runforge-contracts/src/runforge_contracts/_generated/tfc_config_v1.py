# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  tfc.config.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType, field
from typing import Annotated, Any, Literal
from . import common_v1, tfc_common_v1


class CodeState(Struct, kw_only=True, frozen=True, gc=False):
    """
    State of the repository when the run started. Source: specification, section 17.3.
    """

    repo: (
        Annotated[
            str,
            Meta(description="Where the code comes from; `local` without a remote."),
        ]
        | None
        | UnsetType
    ) = UNSET
    commit: (
        Annotated[str, Meta(description="Commit that was checked out.")]
        | None
        | UnsetType
    ) = UNSET
    dirty: (
        Annotated[bool, Meta(description="Whether files differed from the commit.")]
        | None
        | UnsetType
    ) = UNSET
    diff_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(description="SHA-256 of the difference from the commit."),
        ]
        | None
        | UnsetType
    ) = UNSET


class RunFailure(Struct, kw_only=True, frozen=True, gc=False):
    """
    Why a run did not succeed. Source: specification, section 17.12.
    """

    message: Annotated[str, Meta(description="One sentence for display.", min_length=1)]


class CopiedModel(Struct, kw_only=True, frozen=True, gc=False):
    """
    An artifact that was copied to the models of the repository.
    """

    from_: Annotated[
        common_v1.RelativePath, Meta(description="Its path in the run folder.")
    ] = field(name="from")
    to: Annotated[common_v1.WorkspacePath, Meta(description="Where it was copied to.")]
    sha256: common_v1.Sha256 | None | UnsetType = UNSET


class ChangedFile(Struct, kw_only=True, frozen=True, gc=False):
    """
    A file that was changed while the run used it, as user code left it.
    """

    sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="SHA-256 of the file's bytes; absent where there was no such file."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    bytes: (
        Annotated[common_v1.Count, Meta(description="Size of the file.")]
        | None
        | UnsetType
    ) = UNSET


class ImportedDataset(Struct, kw_only=True, frozen=True, gc=False):
    """
    A dataset as another tool recorded it.
    """

    name: Annotated[str, Meta(description="Its name.")]
    digest: (
        Annotated[str, Meta(description="Its digest, in the form of the other tool.")]
        | None
        | UnsetType
    ) = UNSET
    source: (
        Annotated[
            str, Meta(description="Where it came from, as the other tool says it.")
        ]
        | None
        | UnsetType
    ) = UNSET
    context: (
        Annotated[str, Meta(description="What it was used for, such as `training`.")]
        | None
        | UnsetType
    ) = UNSET


class ImportedDigests(Struct, kw_only=True, frozen=True, gc=False):
    """
    SHA-256 of what the other tool had recorded when the run was imported, to notice changes. Source: specification, section 17.15.
    """

    record: Annotated[
        common_v1.Sha256,
        Meta(description="Of names, times, status, tags and datasets."),
    ]
    values: Annotated[common_v1.Sha256, Meta(description="Of parameters and metrics.")]
    artifacts: Annotated[
        common_v1.Sha256, Meta(description="Of the paths and sizes of the artifacts.")
    ]


class LeftOut(Struct, kw_only=True, frozen=True, gc=False):
    """
    Something that was left out or changed when a run was imported.
    """

    what: Annotated[
        Literal[
            "metrics",
            "parameters",
            "tags",
            "artifacts",
            "times",
            "names",
            "datasets",
            "models",
        ],
        Meta(description="What it concerns."),
    ]
    count: Annotated[
        common_v1.Count, Meta(description="How many: points of metrics, files, names.")
    ]
    message: Annotated[str, Meta(description="One sentence for display.", min_length=1)]


class ResolvedReference(Struct, kw_only=True, frozen=True, gc=False):
    """
    The file or folder that a reference resolved to.
    """

    path: common_v1.WorkspacePath
    sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(description="SHA-256 of the file's bytes; absent for folders."),
        ]
        | None
        | UnsetType
    ) = UNSET
    bytes: (
        Annotated[common_v1.Count, Meta(description="Size of the file.")]
        | None
        | UnsetType
    ) = UNSET
    after: (
        Annotated[
            ChangedFile,
            Meta(description="What user code left at the path, if it was changed."),
        ]
        | None
        | UnsetType
    ) = UNSET


class ImportedFrom(Struct, kw_only=True, frozen=True, gc=False):
    """
    The run of another tool, what else it recorded, and what is not here. Source: specification, section 17.15.
    """

    tool: Annotated[
        str, Meta(description="The other tool, such as `mlflow`.", min_length=1)
    ]
    run_id: Annotated[
        str, Meta(description="Id of the run in the other tool.", min_length=1)
    ]
    digests: ImportedDigests
    experiment_id: (
        Annotated[str, Meta(description="Id of its experiment in the other tool.")]
        | None
        | UnsetType
    ) = UNSET
    name: (
        Annotated[str, Meta(description="Name of the run in the other tool.")]
        | None
        | UnsetType
    ) = UNSET
    parent_run_id: (
        Annotated[
            str,
            Meta(
                description="Id of the run in the other tool that this one is nested in."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    user: (
        Annotated[str, Meta(description="User who made the run.")] | None | UnsetType
    ) = UNSET
    program: (
        Annotated[
            str,
            Meta(
                description="The program that made the run, as the other tool names it."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    imported_at: tfc_common_v1.Instant | None | UnsetType = UNSET
    tags: (
        Annotated[
            dict[str, str],
            Meta(description="All tags of the run in the other tool, by name."),
        ]
        | None
        | UnsetType
    ) = UNSET
    datasets: (
        Annotated[
            list[ImportedDataset],
            Meta(description="Datasets that the other tool recorded."),
        ]
        | None
        | UnsetType
    ) = UNSET
    left_out: (
        Annotated[
            list[LeftOut],
            Meta(
                description="What the other tool recorded and this run does not have, or has in another form."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET


class ExperimentConfigV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    The configuration that a run used, and the record of the run. It is itself an experiment that reproduces the run. Source: specification, section 17.3.
    """

    run_id: tfc_common_v1.ExperimentRunId
    experiment: Annotated[str, Meta(description="Name of the experiment.")]
    model: Annotated[
        str, Meta(description="The model by name and version, or by its path.")
    ]
    dataset: Annotated[
        str, Meta(description="The dataset by name and version, or by its path.")
    ]
    code: CodeState | None | UnsetType = UNSET
    training: tfc_common_v1.Training | None | UnsetType = UNSET
    seed: tfc_common_v1.Seed | None | UnsetType = UNSET
    created_by: (
        Annotated[
            str,
            Meta(
                description="Client that wrote the run, as `<client>@<version>`.",
                pattern="^[!-?A-~]+@[!-?A-~]+\\Z",
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    started_at: tfc_common_v1.Instant | None | UnsetType = UNSET
    status: (
        Annotated[
            Literal["running", "succeeded", "failed", "cancelled"],
            Meta(
                description="Status of the run; `running` until it finishes. Source: specification, section 17.12."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    finished_at: tfc_common_v1.Instant | None | UnsetType = UNSET
    duration_ms: (
        Annotated[
            common_v1.Count,
            Meta(description="Duration of the user code, in milliseconds."),
        ]
        | None
        | UnsetType
    ) = UNSET
    exit_code: (
        Annotated[
            int,
            Meta(
                description="Exit status of user code.",
                ge=-9007199254740991,
                le=9007199254740991,
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    signal: (
        Annotated[
            str, Meta(description="Signal that ended user code, such as `SIGKILL`.")
        ]
        | None
        | UnsetType
    ) = UNSET
    failure: RunFailure | None | UnsetType = UNSET
    notes: Annotated[str, Meta(description="Free text.")] | None | UnsetType = UNSET
    log_txt: (
        Annotated[
            bool,
            Meta(
                description="Whether the finished log of the run is also written as `log.txt`, which other tools look for."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    run: tfc_common_v1.RunCommand | None | UnsetType = UNSET
    environment: (
        Annotated[
            dict[str, str],
            Meta(
                description="Declared environment variables with the values that were used, except those that look like secrets."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    secret_environment: (
        Annotated[
            list[str],
            Meta(
                description="Declared environment variables whose values are not recorded."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    references: (
        Annotated[
            dict[str, ResolvedReference],
            Meta(
                description="Files or folders that `dataset` and `model` resolved to, by their names."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    overrides: (
        Annotated[
            dict[str, Any],
            Meta(description="Values given for this run only, by their dotted paths."),
        ]
        | None
        | UnsetType
    ) = UNSET
    parameters: (
        Annotated[
            dict[str, Any],
            Meta(description="Parameters that user code logged, by name."),
        ]
        | None
        | UnsetType
    ) = UNSET
    experiment_file: (
        Annotated[
            ResolvedReference,
            Meta(description="The file that the run was started from."),
        ]
        | None
        | UnsetType
    ) = UNSET
    rerun_from: (
        Annotated[
            tfc_common_v1.ExperimentRunId,
            Meta(description="The run whose configuration the run was started from."),
        ]
        | None
        | UnsetType
    ) = UNSET
    copied_models: (
        Annotated[
            list[CopiedModel],
            Meta(
                description="Artifacts that were copied out of the run. Source: specification, section 17.9."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    imported_from: (
        Annotated[
            ImportedFrom,
            Meta(
                description="The run of another tool that this run was imported from. Source: specification, section 17.15."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
