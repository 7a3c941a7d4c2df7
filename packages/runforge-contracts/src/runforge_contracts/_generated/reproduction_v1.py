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
        description="From best to worst; the last one means that nothing could be compared.",
        title="ReproductionVerdict",
    ),
]


class ReproductionDataset(Struct, kw_only=True, frozen=True, gc=False):
    """
    The dataset that was trained on, or looked for.
    """

    path: Annotated[str, Meta(description="Where it lies, or was looked for.")]
    expected_sha256: (
        Annotated[common_v1.Sha256, Meta(description="Fingerprint in the record.")]
        | UnsetType
    ) = UNSET
    found_sha256: (
        Annotated[
            common_v1.Sha256,
            Meta(description="Fingerprint of the file; absent where there is none."),
        ]
        | UnsetType
    ) = UNSET


class ArtifactCheck(Struct, kw_only=True, frozen=True, gc=False):
    """
    One file of the run beside the one that was made anew.
    """

    path: common_v1.RelativePath
    identical: Annotated[
        bool,
        Meta(
            description="Whether the new file is the recorded one and the one in the run folder."
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
    Digests of what the model is, whatever bytes it is written in.
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
    Both models on every row of the dataset.
    """

    rows: common_v1.Count
    differing_rows: Annotated[
        common_v1.Count, Meta(description="Rows with another predicted label.")
    ]
    largest_score_difference: (
        Annotated[
            float,
            Meta(
                description="Between probabilities or, where the model has none, distances from the decision boundary.",
                ge=0.0,
            ),
        ]
        | UnsetType
    ) = UNSET


class ParameterCheck(Struct, kw_only=True, frozen=True, gc=False):
    """
    The numbers that both models learned. A difference counts relative to the value where that is greater than one.
    """

    compared: Annotated[list[str], Meta(description="Attributes, such as `clf.coef_`.")]
    tolerance: Annotated[float, Meta(ge=0.0)]
    largest_difference: Annotated[float, Meta(ge=0.0)]
    place: (
        Annotated[
            str,
            Meta(
                description="Where the largest difference is, such as `clf.coef_[Adelie, bill_length_mm]`; absent where there is none."
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
        Annotated[
            str,
            Meta(
                description="One sentence, where the values do not speak for themselves."
            ),
        ]
        | UnsetType
    ) = UNSET
    recorded: (
        Annotated[
            bool | float | str,
            Meta(
                description="As the run recorded it; absent where it recorded nothing."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    here: (
        Annotated[
            bool | float | str,
            Meta(description="As it was found here; absent where nothing was."),
        ]
        | None
        | UnsetType
    ) = UNSET


class FieldDifference(Struct, kw_only=True, frozen=True, gc=False):
    """
    A value in the record and here.
    """

    field_: Annotated[str, Meta(description="As in a reason.")] = field(name="field")
    recorded: (
        Annotated[
            bool | float | str,
            Meta(
                description="As the run recorded it; absent where it recorded nothing."
            ),
        ]
        | None
        | UnsetType
    ) = UNSET
    here: (
        Annotated[
            bool | float | str,
            Meta(description="As it was found here; absent where nothing was."),
        ]
        | None
        | UnsetType
    ) = UNSET
    difference: (
        Annotated[float, Meta(description="How far two numbers are apart.", ge=0.0)]
        | UnsetType
    ) = UNSET


class RecordContradiction(Struct, kw_only=True, frozen=True, gc=False):
    """
    A value that the request and the run record give differently.
    """

    field_: Annotated[
        str, Meta(description="Place in the request, as a JSON Pointer.")
    ] = field(name="field")
    request: bool | float | str | None | UnsetType = UNSET
    run: bool | float | str | None | UnsetType = UNSET


class NotChecked(Struct, kw_only=True, frozen=True, gc=False):
    """
    Something that could not be compared.
    """

    what: str
    why: str


class ReproductionV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    What became of training a run again from its record alone: a verdict, what it rests on, and the reasons where the result is not the same bytes.
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
            description="Why the verdict is not the first one: the fields of the recorded environment that differ, and what the record lacks. Empty where the bytes are identical."
        ),
    ]
    environment: Annotated[
        list[FieldDifference],
        Meta(
            description="Every field of the recorded environment that is another one here, whatever the verdict."
        ),
    ]
    differences: Annotated[
        list[FieldDifference],
        Meta(
            description="What came out otherwise: documents by file and JSON Pointer, the model by its attributes."
        ),
    ]
    contradictions: Annotated[
        list[RecordContradiction],
        Meta(
            description="Where the request and the run record do not say the same; the training followed the run record."
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
                description="Differences beyond those that are listed; absent where all are."
            ),
        ]
        | UnsetType
    ) = UNSET
    kept: (
        Annotated[str, Meta(description="Folder in which the new training was kept.")]
        | UnsetType
    ) = UNSET
