# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  comparison.v1.json

from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType, field
from . import common_v1


Agreement: TypeAlias = Annotated[
    Literal["equal", "different", "incomplete"],
    Meta(
        description="`equal`: all runs record the same. `different`: two runs record different things. `incomplete`: those that record it agree, but not all do.",
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
        description="What can change results. `code`: the state of the repository around the workspace, told only where nothing else differs, because no code of the workspace takes part in a training. `unrecorded`: the results differ, and nothing that both runs record does.",
        title="ComparisonReason",
    ),
]


class RecordedValue(Struct, kw_only=True, frozen=True, gc=False):
    """
    What a run records; without `value` where it does not.
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
    A metric of a run; without `value` where it has none.
    """

    value: float | UnsetType = UNSET
    delta: (
        Annotated[float, Meta(description="Difference to the first run.")] | UnsetType
    ) = UNSET
    verdict: Literal["better", "worse", "equal"] | UnsetType = UNSET


class WeightValue(Struct, kw_only=True, frozen=True, gc=False):
    """
    A weight of a run; without `value` where it has none.
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
        Meta(description="Its folder, relative to the workspace where it lies in it."),
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
                description="Whether RunForge trained it, which is so where this is absent, or an experiment ran it (TFC-0003)."
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
    Whether a run gave the results of the first one, and why not.
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
        Meta(description="By the digest of the content, else by that of the file."),
    ]
    reasons: Annotated[
        list[ComparisonReason],
        Meta(
            description="What differs that can change results, whether it did or not."
        ),
    ]
    text: Annotated[str, Meta(description="The same in words.")]
    same_validation_rows: (
        Annotated[
            bool,
            Meta(
                description="Whether the metrics were measured on the same rows; absent where the records cannot tell."
            ),
        ]
        | UnsetType
    ) = UNSET


class ComparedField(Struct, kw_only=True, frozen=True, gc=False):
    """
    One thing that runs record.
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
            Meta(
                description="The class that it belongs to, for metrics of single classes."
            ),
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
            description="Greatest distance from the first run of the family; a weight that a run lacks counts as zero.",
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
        Meta(description="How many weights all runs of the family share bit by bit."),
    ]
    moved: Annotated[
        list[MovedWeight], Meta(description="The others, largest movement first.")
    ]


class ComparisonV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    What differs between runs, by their records. The first run is the one that the others are held against. Every `values` has one entry a run, in the order of `runs`; an entry without `value` means that the run does not record it.
    """

    schema_version: Literal["comparison.v1"]
    runs: Annotated[list[ComparedRun], Meta(min_length=2)]
    conclusions: Annotated[
        list[Conclusion],
        Meta(description="One entry for each run but the first.", min_length=1),
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
            description="SHA-256 of every artifact by its path, as recorded; what carries the run's id is left out."
        ),
    ]
    model_content: (
        Annotated[
            ComparedField,
            Meta(
                description="SHA-256 of what the models are, equal under re-encoding; absent where no run records it."
            ),
        ]
        | UnsetType
    ) = UNSET
