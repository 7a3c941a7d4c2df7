# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.

"""The types of the documents, generated from their schemas.

``RequestV1`` is the type of a whole document. The types of its parts are in the module of its
schema: ``types.metrics_v1.ClassMetrics``. A type is loaded when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # without `typing`, whose import costs more than this module
if TYPE_CHECKING:
    from runforge_contracts._generated import (
        artifact_inspection_v0_2_2_2 as artifact_inspection_v0_2_2_2,
    )
    from runforge_contracts._generated import common_v1 as common_v1
    from runforge_contracts._generated import comparison_v1 as comparison_v1
    from runforge_contracts._generated import dataset_inspection_v1 as dataset_inspection_v1
    from runforge_contracts._generated import error_v1 as error_v1
    from runforge_contracts._generated import feature_importance_v1 as feature_importance_v1
    from runforge_contracts._generated import index_report_v1 as index_report_v1
    from runforge_contracts._generated import index_v1 as index_v1
    from runforge_contracts._generated import interpretability_index_v1 as interpretability_index_v1
    from runforge_contracts._generated import linear_coefficients_v1 as linear_coefficients_v1
    from runforge_contracts._generated import metrics_v1 as metrics_v1
    from runforge_contracts._generated import prediction_v1 as prediction_v1
    from runforge_contracts._generated import provenance_v1 as provenance_v1
    from runforge_contracts._generated import reproduction_v1 as reproduction_v1
    from runforge_contracts._generated import request_v1 as request_v1
    from runforge_contracts._generated import result_v1 as result_v1
    from runforge_contracts._generated import run_v0_4_0 as run_v0_4_0
    from runforge_contracts._generated import tfc_common_v1 as tfc_common_v1
    from runforge_contracts._generated import tfc_config_v1 as tfc_config_v1
    from runforge_contracts._generated import tfc_metrics_v1 as tfc_metrics_v1
    from runforge_contracts._generated import tfc_system_v1 as tfc_system_v1
    from runforge_contracts._generated import trace_v1 as trace_v1
    from runforge_contracts._generated import verification_v1 as verification_v1
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
    from runforge_contracts._generated.tfc_config_v1 import TfcConfigV1 as TfcConfigV1
    from runforge_contracts._generated.tfc_experiment_v1 import TfcExperimentV1 as TfcExperimentV1
    from runforge_contracts._generated.tfc_manifest_v1 import TfcManifestV1 as TfcManifestV1
    from runforge_contracts._generated.tfc_metrics_entry_v1 import (
        TfcMetricsEntryV1 as TfcMetricsEntryV1,
    )
    from runforge_contracts._generated.tfc_metrics_v1 import TfcMetricsV1 as TfcMetricsV1
    from runforge_contracts._generated.tfc_system_v1 import TfcSystemV1 as TfcSystemV1
    from runforge_contracts._generated.trace_v1 import TraceV1 as TraceV1
    from runforge_contracts._generated.verification_v1 import VerificationV1 as VerificationV1

#: Module below ``_generated`` that defines each name.
_MODULES = {
    "ArtifactInspectionV0222": "artifact_inspection_v0_2_2_2",
    "ComparisonV1": "comparison_v1",
    "DatasetInspectionV1": "dataset_inspection_v1",
    "DiagnosticsV1": "diagnostics_v1",
    "ErrorV1": "error_v1",
    "EventV1": "events_v1",
    "FeatureImportanceV1": "feature_importance_v1",
    "IndexReportV1": "index_report_v1",
    "IndexV1": "index_v1",
    "InterpretabilityIndexV1": "interpretability_index_v1",
    "LinearCoefficientsV1": "linear_coefficients_v1",
    "ManifestV1": "manifest_v1",
    "MetricsPhase2": "metrics_phase2",
    "MetricsV1": "metrics_v1",
    "PredictionV1": "prediction_v1",
    "ReproductionV1": "reproduction_v1",
    "RequestV1": "request_v1",
    "ResultV1": "result_v1",
    "RunV0221": "run_v0_2_2_1",
    "RunV033": "run_v0_3_3",
    "RunV036": "run_v0_3_6",
    "RunV040": "run_v0_4_0",
    "TfcConfigV1": "tfc_config_v1",
    "TfcExperimentV1": "tfc_experiment_v1",
    "TfcManifestV1": "tfc_manifest_v1",
    "TfcMetricsEntryV1": "tfc_metrics_entry_v1",
    "TfcMetricsV1": "tfc_metrics_v1",
    "TfcSystemV1": "tfc_system_v1",
    "TraceV1": "trace_v1",
    "VerificationV1": "verification_v1",
    "artifact_inspection_v0_2_2_2": "artifact_inspection_v0_2_2_2",
    "common_v1": "common_v1",
    "comparison_v1": "comparison_v1",
    "dataset_inspection_v1": "dataset_inspection_v1",
    "error_v1": "error_v1",
    "feature_importance_v1": "feature_importance_v1",
    "index_report_v1": "index_report_v1",
    "index_v1": "index_v1",
    "interpretability_index_v1": "interpretability_index_v1",
    "linear_coefficients_v1": "linear_coefficients_v1",
    "metrics_v1": "metrics_v1",
    "prediction_v1": "prediction_v1",
    "provenance_v1": "provenance_v1",
    "reproduction_v1": "reproduction_v1",
    "request_v1": "request_v1",
    "result_v1": "result_v1",
    "run_v0_4_0": "run_v0_4_0",
    "tfc_common_v1": "tfc_common_v1",
    "tfc_config_v1": "tfc_config_v1",
    "tfc_metrics_v1": "tfc_metrics_v1",
    "tfc_system_v1": "tfc_system_v1",
    "trace_v1": "trace_v1",
    "verification_v1": "verification_v1",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f"runforge_contracts._generated.{_MODULES[name]}")
    value = module if name == _MODULES[name] else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
