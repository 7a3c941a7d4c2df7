# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  reproduction.v1.json

from __future__ import annotations
from typing import Annotated, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType, field
from . import common_v1


ReproductionVerdict: TypeAlias = Annotated[
    Literal[
        "identical bytes",
        "identical content",
        "identical predictions, coefficients within 1e-9",
        "different",
        "not reproducible here",
    ],
    Meta(
        description="From best to worst; the last value means that nothing could be compared.",
        title="ReproductionVerdict",
    ),
]


class ReproductionDataset(Struct, kw_only=True, frozen=True, gc=False):
    """
    The dataset that was used, or not found.
    """

    path: Annotated[
        str, Meta(description="Its path, or the path where it was expected.")
    ]
    expected_sha256: (
        Annotated[common_v1.Sha256, Meta(description="Fingerprint in the record.")]
        | UnsetType
    ) = UNSET
    found_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(description="Fingerprint of the file; absent if there is no file."),
        ]
        | UnsetType
    ) = UNSET


class ArtifactCheck(Struct, kw_only=True, frozen=True, gc=False):
    """
    One file of the run compared with the new one.
    """

    path: common_v1.RelativePath
    identical: Annotated[
        bool,
        Meta(
            description="Whether the new file is identical to the recorded one and to the one in the run folder."
        ),
    ]
    recorded_sha256: (
        Annotated[common_v1.Sha256, Meta(description="Digest in the run record.")]
        | UnsetType
    ) = UNSET
    found_sha256: (
        Annotated[
            common_v1.Sha256, Meta(description="Digest of the file in the run folder.")
        ]
        | UnsetType
    ) = UNSET
    rebuilt_sha256: (
        Annotated[common_v1.Sha256, Meta(description="Digest of the new file.")]
        | UnsetType
    ) = UNSET


class ContentCheck(Struct, kw_only=True, frozen=True, gc=False):
    """
    Digests of the models' content, independent of the encoding.
    """

    identical: bool
    recorded_sha256: (
        Annotated[common_v1.Sha256, Meta(description="In the run record.")] | UnsetType
    ) = UNSET
    found_sha256: (
        Annotated[common_v1.Sha256, Meta(description="Of the model in the run folder.")]
        | UnsetType
    ) = UNSET
    rebuilt_sha256: (
        Annotated[common_v1.Sha256, Meta(description="Of the new model.")] | UnsetType
    ) = UNSET


class PredictionCheck(Struct, kw_only=True, frozen=True, gc=False):
    """
    Predictions of both models on every row of the dataset.
    """

    rows: common_v1.Count
    differing_rows: Annotated[
        common_v1.Count, Meta(description="Rows with different predicted labels.")
    ]
    largest_score_difference: (
        Annotated[
            float,
            Meta(
                description="Largest difference between probabilities or, if the model has none, distances from the decision boundary.",
                ge=0.0,
            ),
        ]
        | UnsetType
    ) = UNSET


class ParameterCheck(Struct, kw_only=True, frozen=True, gc=False):
    """
    Learned parameters of both models. A difference is relative to the value if that is greater than one.
    """

    compared: Annotated[list[str], Meta(description="Attributes, such as `clf.coef_`.")]
    tolerance: Annotated[float, Meta(ge=0.0)]
    largest_difference: Annotated[float, Meta(ge=0.0)]
    place: (
        Annotated[
            str,
            Meta(
                description="Where the largest difference is, such as `clf.coef_[Adelie, bill_length_mm]`; absent if there is none."
            ),
        ]
        | UnsetType
    ) = UNSET


class ReproductionReason(Struct, kw_only=True, frozen=True, gc=False):
    """
    A reason for a verdict.
    """

    field_: Annotated[
        str,
        Meta(
            description="A field of the recorded environment by its name, or of a document by file and JSON Pointer."
        ),
    ] = field(name="field")
    message: (
        Annotated[str, Meta(description="An explanation, if the values need one.")]
        | UnsetType
    ) = UNSET
    recorded: (
        Annotated[
            bool | float | str,
            Meta(
                description="The value that the run recorded; absent if there is none."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    here: (
        Annotated[
            bool | float | str,
            Meta(description="The value here; absent if there is none."),
        ]
        | None
        | UnsetType
    ) = UNSET


class FieldDifference(Struct, kw_only=True, frozen=True, gc=False):
    """
    A recorded value and the value here.
    """

    field_: Annotated[str, Meta(description="As in a reason.")] = field(name="field")
    recorded: (
        Annotated[
            bool | float | str,
            Meta(
                description="The value that the run recorded; absent if there is none."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    here: (
        Annotated[
            bool | float | str,
            Meta(description="The value here; absent if there is none."),
        ]
        | None
        | UnsetType
    ) = UNSET
    difference: (
        Annotated[
            float, Meta(description="Absolute difference of the two numbers.", ge=0.0)
        ]
        | UnsetType
    ) = UNSET


class RecordContradiction(Struct, kw_only=True, frozen=True, gc=False):
    """
    A value that differs between the request and the run record.
    """

    field_: Annotated[str, Meta(description="JSON Pointer into the request.")] = field(
        name="field"
    )
    request: bool | float | str | None | UnsetType = UNSET
    run: bool | float | str | None | UnsetType = UNSET


class NotChecked(Struct, kw_only=True, frozen=True, gc=False):
    """
    An item that could not be compared.
    """

    what: str
    why: str


class ReproductionV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Result of training a run again from its record alone: a verdict, the evidence, and the reasons if the bytes differ. Source: specification, section 14.7.
    """

    schema_version: Literal["reproduction.v1"]
    run_id: Annotated[
        str, Meta(description="The run that was trained again.", min_length=1)
    ]
    verdict: ReproductionVerdict
    created_at: Annotated[
        common_v1.Timestamp, Meta(description="When the verdict was given.")
    ]
    runforge_version: Annotated[
        str, Meta(description="Version of RunForge that trained again.", min_length=1)
    ]
    artifacts: Annotated[
        list[ArtifactCheck],
        Meta(description="Every file that was compared byte by byte."),
    ]
    reasons: Annotated[
        list[ReproductionReason],
        Meta(
            description="Why the result is not byte-identical: fields of the recorded environment that differ, and missing records. Empty if the bytes are identical."
        ),
    ]
    environment: Annotated[
        list[FieldDifference],
        Meta(
            description="Every field of the recorded environment that differs here, for any verdict."
        ),
    ]
    differences: Annotated[
        list[FieldDifference],
        Meta(
            description="Differences in the results: documents by file and JSON Pointer, the model by its attributes."
        ),
    ]
    contradictions: Annotated[
        list[RecordContradiction],
        Meta(
            description="Contradictions between the request and the run record; the training used the values of the run record."
        ),
    ]
    not_checked: Annotated[
        list[NotChecked], Meta(description="What could not be compared.")
    ]
    dataset: ReproductionDataset | UnsetType = UNSET
    content: ContentCheck | UnsetType = UNSET
    predictions: PredictionCheck | UnsetType = UNSET
    parameters: ParameterCheck | UnsetType = UNSET
    differences_omitted: (
        Annotated[
            common_v1.Count,
            Meta(
                description="Number of differences that are not listed; absent if all are."
            ),
        ]
        | UnsetType
    ) = UNSET
    kept: (
        Annotated[str, Meta(description="Folder in which the new run was kept.")]
        | UnsetType
    ) = UNSET
