# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  common.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType


Common: TypeAlias = Annotated[
    Any,
    Meta(
        description="Definitions shared by the documents of RunForge. Source: specification, section 2.12.",
        title="Common",
    ),
]


ClassLabelInteger: TypeAlias = Annotated[
    int, Meta(ge=-9007199254740991, le=9007199254740991)
]


ClassLabel: TypeAlias = Annotated[
    ClassLabelInteger | str,
    Meta(
        description="A class label: an integer within 53 bits or a string, never a fraction. Source: specification, section 11.4.",
        title="ClassLabel",
    ),
]


Count: TypeAlias = Annotated[
    int,
    Meta(
        description="A count, within the 53 bits that every client represents exactly.",
        ge=0,
        le=9007199254740991,
        title="Count",
    ),
]


Fraction: TypeAlias = Annotated[
    float,
    Meta(
        description="A number between zero and one.", ge=0.0, le=1.0, title="Fraction"
    ),
]


Sha256: TypeAlias = Annotated[
    str,
    Meta(
        description="A SHA-256 digest as 64 lowercase hexadecimal digits.",
        pattern="^[0-9a-f]{64}\\Z",
        title="Sha256",
    ),
]


class FileDigest(Struct, kw_only=True, frozen=True, gc=False):
    """
    Digest and size of one file.
    """

    sha256: Sha256
    bytes: Count


RelativePath: TypeAlias = Annotated[
    str,
    Meta(
        description="A path below the run folder with forward slashes. It has no empty, `.` or `..` segment, no backslash, no control character and no drive letter, so it cannot leave its root. Source: specification, section 2.11.",
        max_length=1024,
        pattern="^(?![\\s\\S]*(?:^[A-Za-z]:|(?:^|/)\\.{1,2}(?:/|$)|\\n))[^/\\\\\\x00-\\x1f]+(?:/[^/\\\\\\x00-\\x1f]+)*$",
        title="RelativePath",
    ),
]


FileDigests: TypeAlias = Annotated[
    dict[RelativePath, FileDigest],
    Meta(
        description="Digest and size of files, by their path below the run folder.",
        title="FileDigests",
    ),
]


WorkspacePath: TypeAlias = Annotated[
    str,
    Meta(
        description="A path relative to the workspace with forward slashes, or an absolute path where the target is outside the workspace. Source: specification, section 2.11.",
        max_length=4096,
        pattern="^[^\\x00-\\x1f]+\\Z",
        title="WorkspacePath",
    ),
]


Timestamp: TypeAlias = Annotated[
    str,
    Meta(
        description="A UTC instant in ISO 8601. Writers end it with `Z`; readers also accept `+00:00`.",
        pattern="^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\\.[0-9]{1,9})?(?:Z|\\+00:00)\\Z",
        title="Timestamp",
    ),
]


RunId: TypeAlias = Annotated[
    str,
    Meta(
        description="Id of a run and name of its folder: UTC date, UTC time and eight hexadecimal digits. Source: specification, section 5.3.",
        pattern="^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}\\Z",
        title="RunId",
    ),
]


AnyRunId: TypeAlias = Annotated[
    str,
    Meta(
        description="Id of a run written by any client, including older ones; safe as a folder name.",
        pattern="^[0-9A-Za-z][0-9A-Za-z._-]{0,127}\\Z",
        title="AnyRunId",
    ),
]


GroupId: TypeAlias = Annotated[
    str,
    Meta(
        description="Id of a group of runs and name of its folder; safe as a folder name. Source: specification, section 20.6.",
        pattern="^[0-9A-Za-z][0-9A-Za-z._-]{0,127}\\Z",
        title="GroupId",
    ),
]


EvaluationId: TypeAlias = Annotated[
    str,
    Meta(
        description="Id of an evaluation and name of its folder: UTC date, UTC time and eight hexadecimal digits. Source: specification, section 21.1.",
        pattern="^eval_[0-9]{8}_[0-9]{6}_[0-9a-f]{8}\\Z",
        title="EvaluationId",
    ),
]


ModelFamily: TypeAlias = Annotated[
    Literal["logistic_regression", "random_forest", "linear_svc"],
    Meta(
        description="A supported model family. Source: specification, section 12.3.",
        title="ModelFamily",
    ),
]


Preset: TypeAlias = Annotated[
    Literal["fast", "balanced", "thorough", "custom"],
    Meta(
        description="A named set of hyperparameters. Source: specification, section 12.4.",
        title="Preset",
    ),
]


DeviceType: TypeAlias = Annotated[
    Literal["cpu", "gpu"],
    Meta(description="Where a run is computed.", title="DeviceType"),
]


Status: TypeAlias = Annotated[
    Literal["succeeded", "failed", "cancelled"],
    Meta(
        description="Status of a finished run. Source: specification, section 7.2.",
        title="Status",
    ),
]


MetricsProfile: TypeAlias = Annotated[
    Literal[
        "classification.base.v1",
        "classification.proba.v1",
        "classification.multiclass.v1",
    ],
    Meta(
        description="Which metrics were computed, depending on the model's capabilities. Source: specification, section 9.3.",
        title="MetricsProfile",
    ),
]


class DatasetReference(Struct, kw_only=True, frozen=True, gc=False):
    """
    The dataset of a run, by path and by content.
    """

    path: WorkspacePath
    fingerprint_sha256: Annotated[
        Sha256, Meta(description="SHA-256 of the file's bytes.")
    ]


class MetricsSnapshot(Struct, kw_only=True, frozen=True, gc=False):
    """
    The three metrics of phase 2, as in `metrics.json`.
    """

    accuracy: Annotated[
        Fraction,
        Meta(description="Fraction of validation rows that were predicted correctly."),
    ]
    num_samples: Annotated[
        Count,
        Meta(description="Rows used, after those with missing values were dropped."),
    ]
    num_features: Annotated[Count, Meta(description="Feature columns used.")]


class MetricsReference(Struct, kw_only=True, frozen=True, gc=False):
    """
    Pointer to the detailed metrics of a run.
    """

    schema_version: Literal["metrics.v1"]
    metrics_profile: MetricsProfile
    artifact_path: RelativePath


class RunArtifacts(Struct, kw_only=True, frozen=True, gc=False):
    """
    Paths of a run's artifacts below its folder; absent where an artifact was not made.
    """

    model_pkl: RelativePath
    metrics_v1_json: RelativePath | UnsetType = UNSET
    feature_importance_json: RelativePath | UnsetType = UNSET
    linear_coefficients_json: RelativePath | UnsetType = UNSET
    interpretability_index_json: RelativePath | UnsetType = UNSET


class RecordedHyperparameter(Struct, kw_only=True, frozen=True, gc=False):
    """
    A hyperparameter as it was used, and where its value came from.
    """

    name: Annotated[str, Meta(min_length=1)]
    value: (
        Annotated[
            bool | float | str,
            Meta(description="The value as it was used, with its type."),
        ]
        | None
    )
    source: Annotated[
        str,
        Meta(
            description="Where the value came from: `cli`, `request`, `profile`, `preset` or `model_default`; older versions know `cli` and `profile`.",
            min_length=1,
        ),
    ]


class Diagnostic(Struct, kw_only=True, frozen=True, gc=False):
    """
    One structured statement that explains the behaviour of a run. Source: specification, section 15.3.
    """

    code: Annotated[str, Meta(pattern="^[A-Z][A-Z0-9_]*\\Z")]
    severity: Literal["info", "warning", "error"]
    message: Annotated[str, Meta(description="One sentence for display.", min_length=1)]
    details: Annotated[
        dict[str, Any],
        Meta(description="Machine-readable details, which depend on the code."),
    ]
