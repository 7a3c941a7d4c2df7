# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  artifact_inspection.v0.2.2.2.json

from __future__ import annotations
from typing import Annotated, Any, Literal
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1


class PipelineStep(Struct, kw_only=True, frozen=True, gc=False):
    """
    A step of the pipeline.
    """

    name: str
    type: Annotated[
        str, Meta(description="Class; `passthrough` for a step that does nothing.")
    ]
    module: Annotated[
        str,
        Meta(description="Module of the class; empty for a step that does nothing."),
    ]
    hyperparameters: (
        Annotated[
            dict[str, Any],
            Meta(
                description='Parameters of the estimator by name; a value that JSON cannot represent is `{"text": ...}`.'
            ),
        ]
        | UnsetType
    ) = UNSET


class ModelArray(Struct, kw_only=True, frozen=True, gc=False):
    """
    An array of the model.
    """

    path: Annotated[str, Meta(description="Path in the model, such as `clf.coef_`.")]
    dtype: Annotated[str, Meta(description="NumPy data type of its elements.")]
    shape: list[common_v1.Count]


class TreeSummary(Struct, kw_only=True, frozen=True, gc=False):
    """
    The decision trees of a forest; all are consistent.
    """

    count: Annotated[common_v1.Count, Meta(description="Number of trees.")]
    node_count: Annotated[common_v1.Count, Meta(description="Nodes of all trees.")]
    max_depth: Annotated[common_v1.Count, Meta(description="Depth of the deepest one.")]


class GlobalUse(Struct, kw_only=True, frozen=True, gc=False):
    """
    A name that loading the file would import.
    """

    module: str
    name: str
    allowed: Annotated[
        bool, Meta(description="Whether a model needs it; other names are refused.")
    ]
    count: Annotated[
        common_v1.Count, Meta(description="How often the file refers to it.")
    ]
    offset: Annotated[
        common_v1.Count,
        Meta(
            description="Offset of the first reference, in bytes of the decompressed stream."
        ),
    ]


class ModelFinding(Struct, kw_only=True, frozen=True, gc=False):
    """
    One finding about the file.
    """

    code: Annotated[str, Meta(pattern="^[A-Z][A-Z0-9_]*\\Z")]
    severity: Literal["info", "warning", "error"]
    message: str
    offset: (
        Annotated[
            common_v1.Count,
            Meta(
                description="Offset of the finding, in bytes of the decompressed stream."
            ),
        ]
        | UnsetType
    ) = UNSET


class ArtifactInspectionV0222(Struct, kw_only=True, frozen=True, gc=False):
    """
    Contents of a model file, read without executing it. Source: specification, section 14.8.
    """

    schema_version: Literal["0.2.2.2"]
    artifact_path: Annotated[
        str, Meta(description="Path of the file, as it was given.")
    ]
    pipeline_steps: Annotated[list[PipelineStep], Meta(description="Steps in order.")]
    has_preprocessing: Annotated[
        bool,
        Meta(description="Whether any step before the last one transforms the data."),
    ]
    step_count: Annotated[
        common_v1.Count,
        Meta(description="Number of steps, including those that are not shown."),
    ]
    bytes: (
        Annotated[common_v1.Count, Meta(description="Size of the file.")] | UnsetType
    ) = UNSET
    sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="SHA-256 of the file's bytes; absent where the file is too large to be read."
            ),
        ]
        | UnsetType
    ) = UNSET
    content_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(
                description="Digest of the model's content, independent of its encoding; present only if no finding has severity `error`."
            ),
        ]
        | UnsetType
    ) = UNSET
    compression: (
        Annotated[
            str,
            Meta(
                description="How the file is compressed, such as `zlib`; `none` for a plain one.",
                pattern="^[a-z0-9]+\\Z",
            ),
        ]
        | UnsetType
    ) = UNSET
    library_version: (
        Annotated[
            str, Meta(description="Version of scikit-learn that wrote the model.")
        ]
        | UnsetType
    ) = UNSET
    n_features: (
        Annotated[
            common_v1.Count,
            Meta(description="Number of columns that the model was fitted on."),
        ]
        | UnsetType
    ) = UNSET
    feature_names: (
        Annotated[
            list[str],
            Meta(description="Their names, in order, where the model stores them."),
        ]
        | UnsetType
    ) = UNSET
    classes: (
        Annotated[
            list[Any],
            Meta(
                description="Labels in the order of the classes: those of a run are integers or strings, other models store other values."
            ),
        ]
        | UnsetType
    ) = UNSET
    array_count: (
        Annotated[common_v1.Count, Meta(description="Number of arrays in the model.")]
        | UnsetType
    ) = UNSET
    arrays: (
        Annotated[
            list[ModelArray],
            Meta(description="The arrays that are shown, in the order of the model."),
        ]
        | UnsetType
    ) = UNSET
    trees: TreeSummary | UnsetType = UNSET
    globals: (
        Annotated[
            list[GlobalUse],
            Meta(
                description="Every name that loading the file would import, and whether it is accepted."
            ),
        ]
        | UnsetType
    ) = UNSET
    clean: (
        Annotated[
            bool, Meta(description="Whether there is no finding of severity `error`.")
        ]
        | UnsetType
    ) = UNSET
    findings: (
        Annotated[
            list[ModelFinding],
            Meta(
                description="Findings about the file, in the order in which they were made."
            ),
        ]
        | UnsetType
    ) = UNSET
