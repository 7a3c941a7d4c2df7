# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  comparison.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType, field
from . import common_v1


Agreement: TypeAlias = Annotated[
    Literal["equal", "different", "incomplete"],
    Meta(
        description="`equal`: all runs record the same. `different`: two runs record different things. `incomplete`: the runs that record it agree, but not all runs record it.",
        title="Agreement",
    ),
]


class ComparedError(Struct, kw_only=True, frozen=True, gc=False):
    """
    Why a run failed or was cancelled.
    """

    message: str
    code: str | UnsetType = UNSET


ComparisonReason: TypeAlias = Annotated[
    Literal["data", "configuration", "environment", "code", "unrecorded"],
    Meta(
        description="Something that can change results. `code`: the state of the repository around the workspace; reported only where nothing else differs, because training uses no code of the workspace. `unrecorded`: the results differ, and nothing that both runs record differs.",
        title="ComparisonReason",
    ),
]


class RecordedValue(Struct, kw_only=True, frozen=True, gc=False):
    """
    The value that a run records; without `value` if it does not record one.
    """

    value: (
        Annotated[Any, Meta(description="As it was recorded, with its type.")]
        | UnsetType
    ) = UNSET
    source: (
        Annotated[
            str, Meta(description="Where the value of a hyperparameter came from.")
        ]
        | UnsetType
    ) = UNSET


class MetricValue(Struct, kw_only=True, frozen=True, gc=False):
    """
    A metric of a run; without `value` if the run does not have it.
    """

    value: float | UnsetType = UNSET
    delta: (
        Annotated[float, Meta(description="Difference to the first run.")] | UnsetType
    ) = UNSET
    verdict: Literal["better", "worse", "equal"] | UnsetType = UNSET


class WeightValue(Struct, kw_only=True, frozen=True, gc=False):
    """
    A weight of a run; without `value` if the run does not have it.
    """

    value: float | UnsetType = UNSET
    delta: (
        Annotated[float, Meta(description="Difference to the first run of the family.")]
        | UnsetType
    ) = UNSET


class ComparedRun(Struct, kw_only=True, frozen=True, gc=False):
    """
    A run that was compared.
    """

    run_id: common_v1.AnyRunId
    run_dir: Annotated[
        str,
        Meta(
            description="The run folder; relative to the workspace if it is inside it."
        ),
    ]
    status: Literal["succeeded", "failed", "cancelled", "incomplete"]
    schema_version: (
        Annotated[
            str,
            Meta(description="Version of its run record; absent where it has none."),
        ]
        | UnsetType
    ) = UNSET
    kind: (
        Annotated[
            Literal["trained", "experiment"],
            Meta(
                description="Whether RunForge trained the model (the default) or an experiment ran."
            ),
        ]
        | UnsetType
    ) = UNSET
    created_at: common_v1.Timestamp | UnsetType = UNSET
    name: str | UnsetType = UNSET
    rerun_from: (
        Annotated[str, Meta(description="The run that it repeats.")] | UnsetType
    ) = UNSET
    error: ComparedError | UnsetType = UNSET


class Conclusion(Struct, kw_only=True, frozen=True, gc=False):
    """
    Whether a run has the same results as the first one, and if not, why.
    """

    run_id: common_v1.AnyRunId
    results: Annotated[
        Literal["equal", "different", "unknown"],
        Meta(
            description="Metrics, weights and model together; `unknown` where a run has none."
        ),
    ]
    model: Annotated[
        Literal["equal", "different", "unknown"],
        Meta(
            description="Compared by the digest of the content, or of the file if there is none."
        ),
    ]
    reasons: Annotated[
        list[ComparisonReason],
        Meta(
            description="Differences that can change results, whether or not they did."
        ),
    ]
    text: Annotated[str, Meta(description="The same in words.")]
    same_validation_rows: (
        Annotated[
            bool,
            Meta(
                description="Whether the metrics were measured on the same rows; absent where the records do not show it."
            ),
        ]
        | UnsetType
    ) = UNSET


class ComparedField(Struct, kw_only=True, frozen=True, gc=False):
    """
    One recorded value.
    """

    name: str
    agreement: Agreement
    values: Annotated[list[RecordedValue], Meta(min_length=2)]


class ComparedMetric(Struct, kw_only=True, frozen=True, gc=False):
    """
    A metric in all runs.
    """

    name: str
    lower_is_better: bool
    agreement: Agreement
    values: Annotated[list[MetricValue], Meta(min_length=2)]
    class_: (
        Annotated[
            common_v1.ClassLabel,
            Meta(description="The class, for metrics of single classes."),
        ]
        | UnsetType
    ) = field(name="class", default=UNSET)


class MovedWeight(Struct, kw_only=True, frozen=True, gc=False):
    """
    A weight that is not the same in all runs.
    """

    feature: str
    movement: Annotated[
        float,
        Meta(
            description="Largest difference to the first run of the family; a missing weight counts as zero.",
            ge=0.0,
        ),
    ]
    values: Annotated[list[WeightValue], Meta(min_length=2)]
    class_: common_v1.ClassLabel | UnsetType = field(name="class", default=UNSET)


class ComparedWeights(Struct, kw_only=True, frozen=True, gc=False):
    """
    Coefficients in standardized space or importances, of runs of one model family.
    """

    kind: Literal["linear_coefficients", "feature_importance"]
    model_family: common_v1.ModelFamily
    against: Annotated[
        common_v1.AnyRunId, Meta(description="The first run of this family.")
    ]
    unmoved: Annotated[
        common_v1.Count,
        Meta(
            description="Number of weights that are bit-identical in all runs of the family."
        ),
    ]
    moved: Annotated[
        list[MovedWeight],
        Meta(description="The weights that differ, largest change first."),
    ]


class ComparisonV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    Differences between the records of runs. The other runs are compared with the first one. Every `values` has one entry per run, in the order of `runs`; an entry without `value` means that the run does not record it. Source: specification, section 16.2.
    """

    schema_version: Literal["comparison.v1"]
    runs: Annotated[list[ComparedRun], Meta(min_length=2)]
    conclusions: Annotated[
        list[Conclusion],
        Meta(description="One entry for each run except the first.", min_length=1),
    ]
    configuration: Annotated[
        list[ComparedField],
        Meta(description="Family, preset, profile, seed, device and split."),
    ]
    hyperparameters: Annotated[
        list[ComparedField],
        Meta(description="Every hyperparameter used, with the source of its value."),
    ]
    data: Annotated[
        list[ComparedField], Meta(description="Dataset, rows, label and features.")
    ]
    environment: Annotated[
        list[ComparedField],
        Meta(
            description="RunForge, Python, packages, machine, numeric libraries and code; nested names have dots between them."
        ),
    ]
    metrics: Annotated[
        list[ComparedMetric], Meta(description="Metrics on the validation rows.")
    ]
    weights: Annotated[
        list[ComparedWeights],
        Meta(
            description="Coefficients and importances, by model family; only families that two runs share."
        ),
    ]
    artifacts: Annotated[
        list[ComparedField],
        Meta(
            description="SHA-256 of every artifact by its path, as recorded; artifacts that contain the run's id are left out."
        ),
    ]
    model_content: (
        Annotated[
            ComparedField,
            Meta(
                description="SHA-256 of the models' content, independent of the encoding; absent where no run records it."
            ),
        ]
        | UnsetType
    ) = UNSET
