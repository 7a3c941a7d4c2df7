# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.

"""Every document of the contract: its schema, its type and where it lives in a run."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """What the schema of a document says about the document as a whole."""

    #: Module and name of the generated struct.
    module: str
    struct: str
    #: Where a run or store keeps it, if it has a fixed place there.
    file: str | None
    #: Member that tells the version, and its value; None where there is none.
    version_field: str | None
    version: str | int | None
    #: Whether unknown members make the document invalid.
    closed: bool
    #: Whether it is written as YAML.
    yaml: bool


CATALOG: dict[str, Entry] = {
    "artifact_inspection.v0.2.2.2": Entry(
        module="artifact_inspection_v0_2_2_2",
        struct="ArtifactInspectionV0222",
        file=None,
        version_field="schema_version",
        version="0.2.2.2",
        closed=False,
        yaml=False,
    ),
    "comparison.v1": Entry(
        module="comparison_v1",
        struct="ComparisonV1",
        file=None,
        version_field="schema_version",
        version="comparison.v1",
        closed=False,
        yaml=False,
    ),
    "dataset_inspection.v1": Entry(
        module="dataset_inspection_v1",
        struct="DatasetInspectionV1",
        file=None,
        version_field="schema_version",
        version="dataset_inspection.v1",
        closed=False,
        yaml=False,
    ),
    "diagnostics.v1": Entry(
        module="diagnostics_v1",
        struct="DiagnosticsV1",
        file="diagnostics.json",
        version_field="schema_version",
        version="diagnostics.v1",
        closed=True,
        yaml=False,
    ),
    "error.v1": Entry(
        module="error_v1",
        struct="ErrorV1",
        file=None,
        version_field=None,
        version=None,
        closed=False,
        yaml=False,
    ),
    "events.v1": Entry(
        module="events_v1",
        struct="EventV1",
        file="logs/events.jsonl",
        version_field=None,
        version=None,
        closed=False,
        yaml=False,
    ),
    "feature_importance.v1": Entry(
        module="feature_importance_v1",
        struct="FeatureImportanceV1",
        file="artifacts/feature_importance.v1.json",
        version_field="schema_version",
        version="feature_importance.v1",
        closed=True,
        yaml=False,
    ),
    "index.v1": Entry(
        module="index_v1",
        struct="IndexV1",
        file="index.json",
        version_field="schema_version",
        version="index.v1",
        closed=False,
        yaml=False,
    ),
    "interpretability.index.v1": Entry(
        module="interpretability_index_v1",
        struct="InterpretabilityIndexV1",
        file="artifacts/interpretability.index.v1.json",
        version_field="schema_version",
        version="interpretability.index.v1",
        closed=True,
        yaml=False,
    ),
    "linear_coefficients.v1": Entry(
        module="linear_coefficients_v1",
        struct="LinearCoefficientsV1",
        file="artifacts/linear_coefficients.v1.json",
        version_field="schema_version",
        version="linear_coefficients.v1",
        closed=True,
        yaml=False,
    ),
    "manifest.v1": Entry(
        module="manifest_v1",
        struct="ManifestV1",
        file="manifest.json",
        version_field="schema_version",
        version="manifest.v1",
        closed=True,
        yaml=False,
    ),
    "metrics.phase2": Entry(
        module="metrics_phase2",
        struct="MetricsPhase2",
        file="metrics.json",
        version_field=None,
        version=None,
        closed=True,
        yaml=False,
    ),
    "metrics.v1": Entry(
        module="metrics_v1",
        struct="MetricsV1",
        file="metrics.v1.json",
        version_field="schema_version",
        version="metrics.v1",
        closed=True,
        yaml=False,
    ),
    "reproduction.v1": Entry(
        module="reproduction_v1",
        struct="ReproductionV1",
        file=None,
        version_field="schema_version",
        version="reproduction.v1",
        closed=False,
        yaml=False,
    ),
    "request.v1": Entry(
        module="request_v1",
        struct="RequestV1",
        file="request.json",
        version_field="version",
        version=1,
        closed=False,
        yaml=False,
    ),
    "result.v1": Entry(
        module="result_v1",
        struct="ResultV1",
        file="result.json",
        version_field="version",
        version=1,
        closed=False,
        yaml=False,
    ),
    "run.v0.2.2.1": Entry(
        module="run_v0_2_2_1",
        struct="RunV0221",
        file="run.json",
        version_field="schema_version",
        version="run.v0.2.2.1",
        closed=False,
        yaml=False,
    ),
    "run.v0.3.3": Entry(
        module="run_v0_3_3",
        struct="RunV033",
        file="run.json",
        version_field="schema_version",
        version="run.v0.3.3",
        closed=False,
        yaml=False,
    ),
    "run.v0.3.6": Entry(
        module="run_v0_3_6",
        struct="RunV036",
        file="run.json",
        version_field="schema_version",
        version="run.v0.3.6",
        closed=False,
        yaml=False,
    ),
    "run.v0.4.0": Entry(
        module="run_v0_4_0",
        struct="RunV040",
        file="run.json",
        version_field="schema_version",
        version="run.v0.4.0",
        closed=False,
        yaml=False,
    ),
    "tfc.config.v1": Entry(
        module="tfc_config_v1",
        struct="TfcConfigV1",
        file="config.yaml",
        version_field=None,
        version=None,
        closed=False,
        yaml=True,
    ),
    "tfc.experiment.v1": Entry(
        module="tfc_experiment_v1",
        struct="TfcExperimentV1",
        file=None,
        version_field=None,
        version=None,
        closed=False,
        yaml=True,
    ),
    "tfc.manifest.v1": Entry(
        module="tfc_manifest_v1",
        struct="TfcManifestV1",
        file="manifest.json",
        version_field="schema_version",
        version="tfc.manifest.v1",
        closed=True,
        yaml=False,
    ),
    "tfc.metrics.v1": Entry(
        module="tfc_metrics_v1",
        struct="TfcMetricsV1",
        file="metrics.json",
        version_field=None,
        version=None,
        closed=False,
        yaml=False,
    ),
    "tfc.metrics_entry.v1": Entry(
        module="tfc_metrics_entry_v1",
        struct="TfcMetricsEntryV1",
        file="metrics.jsonl",
        version_field=None,
        version=None,
        closed=False,
        yaml=False,
    ),
    "tfc.system.v1": Entry(
        module="tfc_system_v1",
        struct="TfcSystemV1",
        file="system.json",
        version_field=None,
        version=None,
        closed=False,
        yaml=False,
    ),
    "verification.v1": Entry(
        module="verification_v1",
        struct="VerificationV1",
        file=None,
        version_field="schema_version",
        version="verification.v1",
        closed=False,
        yaml=False,
    ),
}
