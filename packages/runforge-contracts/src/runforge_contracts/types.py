# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.

"""The types of the documents, generated from their schemas."""

from runforge_contracts._generated.artifact_inspection_v0_2_2_2 import (
    ArtifactInspectionV0222 as ArtifactInspectionV0222,
)
from runforge_contracts._generated.comparison_v1 import ComparisonV1 as ComparisonV1
from runforge_contracts._generated.dataset_inspection_v1 import (
    DatasetInspectionV1 as DatasetInspectionV1,
)
from runforge_contracts._generated.diagnostics_v1 import DiagnosticsV1 as DiagnosticsV1
from runforge_contracts._generated.error_v1 import ErrorV1 as ErrorV1
from runforge_contracts._generated.events_v1 import EventV1 as EventV1
from runforge_contracts._generated.feature_importance_v1 import (
    FeatureImportanceV1 as FeatureImportanceV1,
)
from runforge_contracts._generated.index_report_v1 import IndexReportV1 as IndexReportV1
from runforge_contracts._generated.index_v1 import IndexV1 as IndexV1
from runforge_contracts._generated.interpretability_index_v1 import (
    InterpretabilityIndexV1 as InterpretabilityIndexV1,
)
from runforge_contracts._generated.linear_coefficients_v1 import (
    LinearCoefficientsV1 as LinearCoefficientsV1,
)
from runforge_contracts._generated.manifest_v1 import ManifestV1 as ManifestV1
from runforge_contracts._generated.metrics_phase2 import MetricsPhase2 as MetricsPhase2
from runforge_contracts._generated.metrics_v1 import MetricsV1 as MetricsV1
from runforge_contracts._generated.prediction_v1 import PredictionV1 as PredictionV1
from runforge_contracts._generated.reproduction_v1 import ReproductionV1 as ReproductionV1
from runforge_contracts._generated.request_v1 import RequestV1 as RequestV1
from runforge_contracts._generated.result_v1 import ResultV1 as ResultV1
from runforge_contracts._generated.run_v0_2_2_1 import RunV0221 as RunV0221
from runforge_contracts._generated.run_v0_3_3 import RunV033 as RunV033
from runforge_contracts._generated.run_v0_3_6 import RunV036 as RunV036
from runforge_contracts._generated.run_v0_4_0 import RunV040 as RunV040
from runforge_contracts._generated.tfc_config_v1 import ExperimentConfigV1 as ExperimentConfigV1
from runforge_contracts._generated.tfc_experiment_v1 import ExperimentV1 as ExperimentV1
from runforge_contracts._generated.tfc_manifest_v1 import (
    ExperimentManifestV1 as ExperimentManifestV1,
)
from runforge_contracts._generated.tfc_metrics_entry_v1 import (
    ExperimentMetricsEntryV1 as ExperimentMetricsEntryV1,
)
from runforge_contracts._generated.tfc_metrics_v1 import ExperimentMetricsV1 as ExperimentMetricsV1
from runforge_contracts._generated.tfc_system_v1 import ExperimentSystemV1 as ExperimentSystemV1
from runforge_contracts._generated.trace_v1 import TraceV1 as TraceV1
from runforge_contracts._generated.verification_v1 import VerificationV1 as VerificationV1
