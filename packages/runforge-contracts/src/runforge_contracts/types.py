# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.

"""The types of the documents and of their parts, generated from their schemas.

Each is loaded when it is first asked for, so ``from runforge_contracts.types import RequestV1``
costs the one type.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, which takes longer to import than this module
if TYPE_CHECKING:
    from typing import Any

    from runforge_contracts._generated.alias_report_v1 import AliasReportV1 as AliasReportV1
    from runforge_contracts._generated.alias_v1 import AliasName as AliasName
    from runforge_contracts._generated.alias_v1 import AliasV1 as AliasV1
    from runforge_contracts._generated.archive_report_v1 import ArchivedCopy as ArchivedCopy
    from runforge_contracts._generated.archive_report_v1 import ArchivedRun as ArchivedRun
    from runforge_contracts._generated.archive_report_v1 import ArchiveReportV1 as ArchiveReportV1
    from runforge_contracts._generated.artifact_inspection_v0_2_2_2 import (
        ArtifactInspectionV0222 as ArtifactInspectionV0222,
    )
    from runforge_contracts._generated.artifact_inspection_v0_2_2_2 import GlobalUse as GlobalUse
    from runforge_contracts._generated.artifact_inspection_v0_2_2_2 import ModelArray as ModelArray
    from runforge_contracts._generated.artifact_inspection_v0_2_2_2 import (
        ModelFinding as ModelFinding,
    )
    from runforge_contracts._generated.artifact_inspection_v0_2_2_2 import (
        PipelineStep as PipelineStep,
    )
    from runforge_contracts._generated.artifact_inspection_v0_2_2_2 import (
        TreeSummary as TreeSummary,
    )
    from runforge_contracts._generated.bundle_report_v1 import BundleReportV1 as BundleReportV1
    from runforge_contracts._generated.bundle_v1 import BundleV1 as BundleV1
    from runforge_contracts._generated.common_v1 import AnyRunId as AnyRunId
    from runforge_contracts._generated.common_v1 import ClassLabel as ClassLabel
    from runforge_contracts._generated.common_v1 import ClassLabelInteger as ClassLabelInteger
    from runforge_contracts._generated.common_v1 import Common as Common
    from runforge_contracts._generated.common_v1 import Count as Count
    from runforge_contracts._generated.common_v1 import DatasetReference as DatasetReference
    from runforge_contracts._generated.common_v1 import DeviceType as DeviceType
    from runforge_contracts._generated.common_v1 import Diagnostic as Diagnostic
    from runforge_contracts._generated.common_v1 import EvaluationId as EvaluationId
    from runforge_contracts._generated.common_v1 import FileDigest as FileDigest
    from runforge_contracts._generated.common_v1 import FileDigests as FileDigests
    from runforge_contracts._generated.common_v1 import Fraction as Fraction
    from runforge_contracts._generated.common_v1 import GroupId as GroupId
    from runforge_contracts._generated.common_v1 import MetricsProfile as MetricsProfile
    from runforge_contracts._generated.common_v1 import MetricsReference as MetricsReference
    from runforge_contracts._generated.common_v1 import MetricsSnapshot as MetricsSnapshot
    from runforge_contracts._generated.common_v1 import ModelFamily as ModelFamily
    from runforge_contracts._generated.common_v1 import Preset as Preset
    from runforge_contracts._generated.common_v1 import (
        RecordedHyperparameter as RecordedHyperparameter,
    )
    from runforge_contracts._generated.common_v1 import RelativePath as RelativePath
    from runforge_contracts._generated.common_v1 import RunArtifacts as RunArtifacts
    from runforge_contracts._generated.common_v1 import RunId as RunId
    from runforge_contracts._generated.common_v1 import Sha256 as Sha256
    from runforge_contracts._generated.common_v1 import Status as Status
    from runforge_contracts._generated.common_v1 import Timestamp as Timestamp
    from runforge_contracts._generated.common_v1 import WorkspacePath as WorkspacePath
    from runforge_contracts._generated.comparison_v1 import Agreement as Agreement
    from runforge_contracts._generated.comparison_v1 import ComparedError as ComparedError
    from runforge_contracts._generated.comparison_v1 import ComparedField as ComparedField
    from runforge_contracts._generated.comparison_v1 import ComparedMetric as ComparedMetric
    from runforge_contracts._generated.comparison_v1 import ComparedRun as ComparedRun
    from runforge_contracts._generated.comparison_v1 import ComparedWeights as ComparedWeights
    from runforge_contracts._generated.comparison_v1 import ComparisonReason as ComparisonReason
    from runforge_contracts._generated.comparison_v1 import ComparisonV1 as ComparisonV1
    from runforge_contracts._generated.comparison_v1 import Conclusion as Conclusion
    from runforge_contracts._generated.comparison_v1 import MetricValue as MetricValue
    from runforge_contracts._generated.comparison_v1 import MovedWeight as MovedWeight
    from runforge_contracts._generated.comparison_v1 import RecordedValue as RecordedValue
    from runforge_contracts._generated.comparison_v1 import WeightValue as WeightValue
    from runforge_contracts._generated.dataset_inspection_v1 import ClassCount as ClassCount
    from runforge_contracts._generated.dataset_inspection_v1 import (
        DatasetInspectionV1 as DatasetInspectionV1,
    )
    from runforge_contracts._generated.dataset_inspection_v1 import (
        InspectedColumn as InspectedColumn,
    )
    from runforge_contracts._generated.dataset_inspection_v1 import InspectedLabel as InspectedLabel
    from runforge_contracts._generated.diagnostics_v1 import DiagnosticsV1 as DiagnosticsV1
    from runforge_contracts._generated.error_v1 import ErrorBody as ErrorBody
    from runforge_contracts._generated.error_v1 import ErrorProblem as ErrorProblem
    from runforge_contracts._generated.error_v1 import ErrorV1 as ErrorV1
    from runforge_contracts._generated.evaluation_report_v1 import (
        EvaluationReportV1 as EvaluationReportV1,
    )
    from runforge_contracts._generated.evaluation_report_v1 import JudgedGate as JudgedGate
    from runforge_contracts._generated.evaluation_v1 import EvaluatedModel as EvaluatedModel
    from runforge_contracts._generated.evaluation_v1 import EvaluationDataset as EvaluationDataset
    from runforge_contracts._generated.evaluation_v1 import EvaluationV1 as EvaluationV1
    from runforge_contracts._generated.evaluation_v1 import LeftOutExample as LeftOutExample
    from runforge_contracts._generated.evaluation_v1 import LeftOutReason as LeftOutReason
    from runforge_contracts._generated.evaluation_v1 import LeftOutRows as LeftOutRows
    from runforge_contracts._generated.events_v1 import EventV1 as EventV1
    from runforge_contracts._generated.feature_importance_v1 import (
        FeatureImportanceV1 as FeatureImportanceV1,
    )
    from runforge_contracts._generated.feature_importance_v1 import (
        IndexedImportance as IndexedImportance,
    )
    from runforge_contracts._generated.feature_importance_v1 import (
        RankedImportance as RankedImportance,
    )
    from runforge_contracts._generated.field_cancelled_marker_v1_0_0 import (
        CancelledMarkerV100 as CancelledMarkerV100,
    )
    from runforge_contracts._generated.field_common_v1 import FieldCommonV1 as FieldCommonV1
    from runforge_contracts._generated.field_common_v1 import FieldTime as FieldTime
    from runforge_contracts._generated.field_common_v1 import UnixTime as UnixTime
    from runforge_contracts._generated.field_desktop_coefficients_v1 import (
        DesktopCoefficientsV1 as DesktopCoefficientsV1,
    )
    from runforge_contracts._generated.field_desktop_group_v1 import (
        DesktopGroupExecution as DesktopGroupExecution,
    )
    from runforge_contracts._generated.field_desktop_group_v1 import (
        DesktopGroupMetric as DesktopGroupMetric,
    )
    from runforge_contracts._generated.field_desktop_group_v1 import (
        DesktopGroupRun as DesktopGroupRun,
    )
    from runforge_contracts._generated.field_desktop_group_v1 import (
        DesktopGroupSummary as DesktopGroupSummary,
    )
    from runforge_contracts._generated.field_desktop_group_v1 import (
        DesktopGroupV1 as DesktopGroupV1,
    )
    from runforge_contracts._generated.field_desktop_importance_v1 import (
        DesktopImportanceV1 as DesktopImportanceV1,
    )
    from runforge_contracts._generated.field_desktop_interpretability_v1 import (
        DesktopInterpretabilityArtifact as DesktopInterpretabilityArtifact,
    )
    from runforge_contracts._generated.field_desktop_interpretability_v1 import (
        DesktopInterpretabilityV1 as DesktopInterpretabilityV1,
    )
    from runforge_contracts._generated.field_desktop_metrics_line_v1 import (
        DesktopMetricsLineV1 as DesktopMetricsLineV1,
    )
    from runforge_contracts._generated.field_desktop_metrics_v1 import (
        DesktopMetricsV1 as DesktopMetricsV1,
    )
    from runforge_contracts._generated.field_desktop_request_v1 import (
        DesktopRequestV1 as DesktopRequestV1,
    )
    from runforge_contracts._generated.field_desktop_run_v1 import DesktopRunV1 as DesktopRunV1
    from runforge_contracts._generated.field_editor_index_v0_2_2_1 import (
        EditorIndexEntry0221 as EditorIndexEntry0221,
    )
    from runforge_contracts._generated.field_editor_index_v0_2_2_1 import (
        EditorIndexV0221 as EditorIndexV0221,
    )
    from runforge_contracts._generated.field_editor_index_v1_0_0 import (
        EditorIndexEntry as EditorIndexEntry,
    )
    from runforge_contracts._generated.field_editor_index_v1_0_0 import (
        EditorIndexSummary as EditorIndexSummary,
    )
    from runforge_contracts._generated.field_editor_index_v1_0_0 import (
        EditorIndexV100 as EditorIndexV100,
    )
    from runforge_contracts._generated.field_editor_request_v1 import (
        EditorRequestV1 as EditorRequestV1,
    )
    from runforge_contracts._generated.field_editor_result_v1 import (
        EditorResultV1 as EditorResultV1,
    )
    from runforge_contracts._generated.field_editor_run_v0_2_2_1 import (
        EditorRunV0221 as EditorRunV0221,
    )
    from runforge_contracts._generated.field_index_array_v1 import (
        IndexArrayEntry as IndexArrayEntry,
    )
    from runforge_contracts._generated.field_index_array_v1 import (
        IndexArraySummary as IndexArraySummary,
    )
    from runforge_contracts._generated.field_index_array_v1 import IndexArrayV1 as IndexArrayV1
    from runforge_contracts._generated.field_index_orphan_marker_v1_0_0 import (
        IndexOrphanError as IndexOrphanError,
    )
    from runforge_contracts._generated.field_index_orphan_marker_v1_0_0 import (
        IndexOrphanMarkerV100 as IndexOrphanMarkerV100,
    )
    from runforge_contracts._generated.group_v1 import GroupDataset as GroupDataset
    from runforge_contracts._generated.group_v1 import GroupDuplicate as GroupDuplicate
    from runforge_contracts._generated.group_v1 import GroupExecution as GroupExecution
    from runforge_contracts._generated.group_v1 import GroupMetric as GroupMetric
    from runforge_contracts._generated.group_v1 import GroupRun as GroupRun
    from runforge_contracts._generated.group_v1 import GroupStatus as GroupStatus
    from runforge_contracts._generated.group_v1 import GroupSummary as GroupSummary
    from runforge_contracts._generated.group_v1 import GroupV1 as GroupV1
    from runforge_contracts._generated.group_v1 import MemberNumber as MemberNumber
    from runforge_contracts._generated.group_v1 import MemberStatus as MemberStatus
    from runforge_contracts._generated.import_report_v1 import ImportedItem as ImportedItem
    from runforge_contracts._generated.import_report_v1 import ImportReportV1 as ImportReportV1
    from runforge_contracts._generated.import_report_v1 import LeftOutSum as LeftOutSum
    from runforge_contracts._generated.index_report_v1 import IndexCounts as IndexCounts
    from runforge_contracts._generated.index_report_v1 import IndexFinding as IndexFinding
    from runforge_contracts._generated.index_report_v1 import IndexReportV1 as IndexReportV1
    from runforge_contracts._generated.index_report_v1 import SkippedFolder as SkippedFolder
    from runforge_contracts._generated.index_report_v1 import StoreReport as StoreReport
    from runforge_contracts._generated.index_v1 import IndexEntry as IndexEntry
    from runforge_contracts._generated.index_v1 import IndexSummary as IndexSummary
    from runforge_contracts._generated.index_v1 import IndexV1 as IndexV1
    from runforge_contracts._generated.interpretability_index_v1 import (
        AvailableArtifacts as AvailableArtifacts,
    )
    from runforge_contracts._generated.interpretability_index_v1 import (
        FeatureImportanceEntry as FeatureImportanceEntry,
    )
    from runforge_contracts._generated.interpretability_index_v1 import (
        FeatureImportanceSummary as FeatureImportanceSummary,
    )
    from runforge_contracts._generated.interpretability_index_v1 import (
        InterpretabilityIndexV1 as InterpretabilityIndexV1,
    )
    from runforge_contracts._generated.interpretability_index_v1 import (
        LinearCoefficientsEntry as LinearCoefficientsEntry,
    )
    from runforge_contracts._generated.interpretability_index_v1 import (
        LinearCoefficientsSummary as LinearCoefficientsSummary,
    )
    from runforge_contracts._generated.interpretability_index_v1 import MetricsEntry as MetricsEntry
    from runforge_contracts._generated.interpretability_index_v1 import (
        MetricsSummary as MetricsSummary,
    )
    from runforge_contracts._generated.interpretability_index_v1 import TopFeatures as TopFeatures
    from runforge_contracts._generated.linear_coefficients_v1 import (
        ClassCoefficients as ClassCoefficients,
    )
    from runforge_contracts._generated.linear_coefficients_v1 import Intercept as Intercept
    from runforge_contracts._generated.linear_coefficients_v1 import (
        LinearCoefficientsV1 as LinearCoefficientsV1,
    )
    from runforge_contracts._generated.linear_coefficients_v1 import (
        RankedCoefficient as RankedCoefficient,
    )
    from runforge_contracts._generated.manifest_v1 import ManifestV1 as ManifestV1
    from runforge_contracts._generated.merge_report_v1 import MergedItem as MergedItem
    from runforge_contracts._generated.merge_report_v1 import MergeReportV1 as MergeReportV1
    from runforge_contracts._generated.merge_report_v1 import StoreContents as StoreContents
    from runforge_contracts._generated.metrics_phase2 import MetricsPhase2 as MetricsPhase2
    from runforge_contracts._generated.metrics_v1 import ConfusionMatrixItem as ConfusionMatrixItem
    from runforge_contracts._generated.metrics_v1 import MetricsV1 as MetricsV1
    from runforge_contracts._generated.move_report_v1 import MoveReportV1 as MoveReportV1
    from runforge_contracts._generated.prediction_v1 import PredictedRow as PredictedRow
    from runforge_contracts._generated.prediction_v1 import PredictionV1 as PredictionV1
    from runforge_contracts._generated.prediction_v1 import Probability as Probability
    from runforge_contracts._generated.provenance_v1 import BlasLibrary as BlasLibrary
    from runforge_contracts._generated.provenance_v1 import GitState as GitState
    from runforge_contracts._generated.provenance_v1 import LeftOutItem as LeftOutItem
    from runforge_contracts._generated.provenance_v1 import Numerics as Numerics
    from runforge_contracts._generated.provenance_v1 import Platform as Platform
    from runforge_contracts._generated.provenance_v1 import Provenance as Provenance
    from runforge_contracts._generated.provenance_v1 import (
        ProvenanceDefinitions as ProvenanceDefinitions,
    )
    from runforge_contracts._generated.provenance_v1 import PythonRuntime as PythonRuntime
    from runforge_contracts._generated.recipe_v1 import MissingValue as MissingValue
    from runforge_contracts._generated.recipe_v1 import RecipeColumn as RecipeColumn
    from runforge_contracts._generated.recipe_v1 import RecipeSource as RecipeSource
    from runforge_contracts._generated.recipe_v1 import RecipeV1 as RecipeV1
    from runforge_contracts._generated.removal_report_v1 import RemovalItem as RemovalItem
    from runforge_contracts._generated.removal_report_v1 import RemovalReportV1 as RemovalReportV1
    from runforge_contracts._generated.reproduction_v1 import ArtifactCheck as ArtifactCheck
    from runforge_contracts._generated.reproduction_v1 import ContentCheck as ContentCheck
    from runforge_contracts._generated.reproduction_v1 import FieldDifference as FieldDifference
    from runforge_contracts._generated.reproduction_v1 import NotChecked as NotChecked
    from runforge_contracts._generated.reproduction_v1 import ParameterCheck as ParameterCheck
    from runforge_contracts._generated.reproduction_v1 import PredictionCheck as PredictionCheck
    from runforge_contracts._generated.reproduction_v1 import (
        RecordContradiction as RecordContradiction,
    )
    from runforge_contracts._generated.reproduction_v1 import (
        ReproductionDataset as ReproductionDataset,
    )
    from runforge_contracts._generated.reproduction_v1 import (
        ReproductionReason as ReproductionReason,
    )
    from runforge_contracts._generated.reproduction_v1 import ReproductionV1 as ReproductionV1
    from runforge_contracts._generated.reproduction_v1 import (
        ReproductionVerdict as ReproductionVerdict,
    )
    from runforge_contracts._generated.request_v1 import RequestDataset as RequestDataset
    from runforge_contracts._generated.request_v1 import RequestDevice as RequestDevice
    from runforge_contracts._generated.request_v1 import RequestModel as RequestModel
    from runforge_contracts._generated.request_v1 import RequestV1 as RequestV1
    from runforge_contracts._generated.result_v1 import EffectiveConfig as EffectiveConfig
    from runforge_contracts._generated.result_v1 import EffectiveDataset as EffectiveDataset
    from runforge_contracts._generated.result_v1 import EffectiveDevice as EffectiveDevice
    from runforge_contracts._generated.result_v1 import EffectiveModel as EffectiveModel
    from runforge_contracts._generated.result_v1 import PrimaryMetric as PrimaryMetric
    from runforge_contracts._generated.result_v1 import ResultArtifact as ResultArtifact
    from runforge_contracts._generated.result_v1 import ResultError as ResultError
    from runforge_contracts._generated.result_v1 import ResultSummary as ResultSummary
    from runforge_contracts._generated.result_v1 import ResultV1 as ResultV1
    from runforge_contracts._generated.run_removal_v1 import AlsoRemoved as AlsoRemoved
    from runforge_contracts._generated.run_removal_v1 import RemovedRun as RemovedRun
    from runforge_contracts._generated.run_removal_v1 import RunArchive as RunArchive
    from runforge_contracts._generated.run_removal_v1 import RunRemovalV1 as RunRemovalV1
    from runforge_contracts._generated.run_v0_2_2_1 import RunV0221 as RunV0221
    from runforge_contracts._generated.run_v0_3_3 import RunV033 as RunV033
    from runforge_contracts._generated.run_v0_3_6 import RunV036 as RunV036
    from runforge_contracts._generated.run_v0_4_0 import RunDataset as RunDataset
    from runforge_contracts._generated.run_v0_4_0 import RunV040 as RunV040
    from runforge_contracts._generated.run_v0_4_0 import Split as Split
    from runforge_contracts._generated.run_v0_4_0 import UsedDevice as UsedDevice
    from runforge_contracts._generated.store_merge_v1 import MergedEntries as MergedEntries
    from runforge_contracts._generated.store_merge_v1 import MergedHead as MergedHead
    from runforge_contracts._generated.store_merge_v1 import StoreMergeV1 as StoreMergeV1
    from runforge_contracts._generated.store_place_v1 import StorePlaceV1 as StorePlaceV1
    from runforge_contracts._generated.sweep_plan_v1 import GridParameter as GridParameter
    from runforge_contracts._generated.sweep_plan_v1 import PlanExecution as PlanExecution
    from runforge_contracts._generated.sweep_plan_v1 import PlanGroup as PlanGroup
    from runforge_contracts._generated.sweep_plan_v1 import RequestOverrides as RequestOverrides
    from runforge_contracts._generated.sweep_plan_v1 import RequestPath as RequestPath
    from runforge_contracts._generated.sweep_plan_v1 import SweepPlanV1 as SweepPlanV1
    from runforge_contracts._generated.sweep_plan_v1 import SweepStrategy as SweepStrategy
    from runforge_contracts._generated.tfc_common_v1 import ExperimentCommon as ExperimentCommon
    from runforge_contracts._generated.tfc_common_v1 import ExperimentRunId as ExperimentRunId
    from runforge_contracts._generated.tfc_common_v1 import Instant as Instant
    from runforge_contracts._generated.tfc_common_v1 import RunCommand as RunCommand
    from runforge_contracts._generated.tfc_common_v1 import Seed as Seed
    from runforge_contracts._generated.tfc_common_v1 import Training as Training
    from runforge_contracts._generated.tfc_config_v1 import ChangedFile as ChangedFile
    from runforge_contracts._generated.tfc_config_v1 import CodeState as CodeState
    from runforge_contracts._generated.tfc_config_v1 import CopiedModel as CopiedModel
    from runforge_contracts._generated.tfc_config_v1 import ExperimentConfigV1 as ExperimentConfigV1
    from runforge_contracts._generated.tfc_config_v1 import ImportedDataset as ImportedDataset
    from runforge_contracts._generated.tfc_config_v1 import ImportedDigests as ImportedDigests
    from runforge_contracts._generated.tfc_config_v1 import ImportedFrom as ImportedFrom
    from runforge_contracts._generated.tfc_config_v1 import LeftOut as LeftOut
    from runforge_contracts._generated.tfc_config_v1 import ResolvedReference as ResolvedReference
    from runforge_contracts._generated.tfc_config_v1 import RunFailure as RunFailure
    from runforge_contracts._generated.tfc_experiment_v1 import ExperimentV1 as ExperimentV1
    from runforge_contracts._generated.tfc_manifest_v1 import (
        ExperimentManifestV1 as ExperimentManifestV1,
    )
    from runforge_contracts._generated.tfc_metrics_entry_v1 import (
        ExperimentMetricsEntryV1 as ExperimentMetricsEntryV1,
    )
    from runforge_contracts._generated.tfc_metrics_v1 import (
        ExperimentMetricsV1 as ExperimentMetricsV1,
    )
    from runforge_contracts._generated.tfc_metrics_v1 import MetricPoint as MetricPoint
    from runforge_contracts._generated.tfc_system_v1 import ExperimentSystemV1 as ExperimentSystemV1
    from runforge_contracts._generated.tfc_system_v1 import Hardware as Hardware
    from runforge_contracts._generated.trace_v1 import TracedDataset as TracedDataset
    from runforge_contracts._generated.trace_v1 import TracedRun as TracedRun
    from runforge_contracts._generated.trace_v1 import TraceV1 as TraceV1
    from runforge_contracts._generated.verification_v1 import Verdict as Verdict
    from runforge_contracts._generated.verification_v1 import VerificationCheck as VerificationCheck
    from runforge_contracts._generated.verification_v1 import (
        VerificationFinding as VerificationFinding,
    )
    from runforge_contracts._generated.verification_v1 import VerificationV1 as VerificationV1
    from runforge_contracts._generated.verification_v1 import (
        VerifiedEvaluation as VerifiedEvaluation,
    )
    from runforge_contracts._generated.verification_v1 import VerifiedRun as VerifiedRun
    from runforge_contracts._generated.verification_v1 import VerifiedStore as VerifiedStore
    from runforge_contracts._generated.verification_v1 import VerifiedView as VerifiedView

#: The generated module of each type.
_MODULES = {
    "Agreement": "comparison_v1",
    "AliasName": "alias_v1",
    "AliasReportV1": "alias_report_v1",
    "AliasV1": "alias_v1",
    "AlsoRemoved": "run_removal_v1",
    "AnyRunId": "common_v1",
    "ArchiveReportV1": "archive_report_v1",
    "ArchivedCopy": "archive_report_v1",
    "ArchivedRun": "archive_report_v1",
    "ArtifactCheck": "reproduction_v1",
    "ArtifactInspectionV0222": "artifact_inspection_v0_2_2_2",
    "AvailableArtifacts": "interpretability_index_v1",
    "BlasLibrary": "provenance_v1",
    "BundleReportV1": "bundle_report_v1",
    "BundleV1": "bundle_v1",
    "CancelledMarkerV100": "field_cancelled_marker_v1_0_0",
    "ChangedFile": "tfc_config_v1",
    "ClassCoefficients": "linear_coefficients_v1",
    "ClassCount": "dataset_inspection_v1",
    "ClassLabel": "common_v1",
    "ClassLabelInteger": "common_v1",
    "CodeState": "tfc_config_v1",
    "Common": "common_v1",
    "ComparedError": "comparison_v1",
    "ComparedField": "comparison_v1",
    "ComparedMetric": "comparison_v1",
    "ComparedRun": "comparison_v1",
    "ComparedWeights": "comparison_v1",
    "ComparisonReason": "comparison_v1",
    "ComparisonV1": "comparison_v1",
    "Conclusion": "comparison_v1",
    "ConfusionMatrixItem": "metrics_v1",
    "ContentCheck": "reproduction_v1",
    "CopiedModel": "tfc_config_v1",
    "Count": "common_v1",
    "DatasetInspectionV1": "dataset_inspection_v1",
    "DatasetReference": "common_v1",
    "DesktopCoefficientsV1": "field_desktop_coefficients_v1",
    "DesktopGroupExecution": "field_desktop_group_v1",
    "DesktopGroupMetric": "field_desktop_group_v1",
    "DesktopGroupRun": "field_desktop_group_v1",
    "DesktopGroupSummary": "field_desktop_group_v1",
    "DesktopGroupV1": "field_desktop_group_v1",
    "DesktopImportanceV1": "field_desktop_importance_v1",
    "DesktopInterpretabilityArtifact": "field_desktop_interpretability_v1",
    "DesktopInterpretabilityV1": "field_desktop_interpretability_v1",
    "DesktopMetricsLineV1": "field_desktop_metrics_line_v1",
    "DesktopMetricsV1": "field_desktop_metrics_v1",
    "DesktopRequestV1": "field_desktop_request_v1",
    "DesktopRunV1": "field_desktop_run_v1",
    "DeviceType": "common_v1",
    "Diagnostic": "common_v1",
    "DiagnosticsV1": "diagnostics_v1",
    "EditorIndexEntry": "field_editor_index_v1_0_0",
    "EditorIndexEntry0221": "field_editor_index_v0_2_2_1",
    "EditorIndexSummary": "field_editor_index_v1_0_0",
    "EditorIndexV0221": "field_editor_index_v0_2_2_1",
    "EditorIndexV100": "field_editor_index_v1_0_0",
    "EditorRequestV1": "field_editor_request_v1",
    "EditorResultV1": "field_editor_result_v1",
    "EditorRunV0221": "field_editor_run_v0_2_2_1",
    "EffectiveConfig": "result_v1",
    "EffectiveDataset": "result_v1",
    "EffectiveDevice": "result_v1",
    "EffectiveModel": "result_v1",
    "ErrorBody": "error_v1",
    "ErrorProblem": "error_v1",
    "ErrorV1": "error_v1",
    "EvaluatedModel": "evaluation_v1",
    "EvaluationDataset": "evaluation_v1",
    "EvaluationId": "common_v1",
    "EvaluationReportV1": "evaluation_report_v1",
    "EvaluationV1": "evaluation_v1",
    "EventV1": "events_v1",
    "ExperimentCommon": "tfc_common_v1",
    "ExperimentConfigV1": "tfc_config_v1",
    "ExperimentManifestV1": "tfc_manifest_v1",
    "ExperimentMetricsEntryV1": "tfc_metrics_entry_v1",
    "ExperimentMetricsV1": "tfc_metrics_v1",
    "ExperimentRunId": "tfc_common_v1",
    "ExperimentSystemV1": "tfc_system_v1",
    "ExperimentV1": "tfc_experiment_v1",
    "FeatureImportanceEntry": "interpretability_index_v1",
    "FeatureImportanceSummary": "interpretability_index_v1",
    "FeatureImportanceV1": "feature_importance_v1",
    "FieldCommonV1": "field_common_v1",
    "FieldDifference": "reproduction_v1",
    "FieldTime": "field_common_v1",
    "FileDigest": "common_v1",
    "FileDigests": "common_v1",
    "Fraction": "common_v1",
    "GitState": "provenance_v1",
    "GlobalUse": "artifact_inspection_v0_2_2_2",
    "GridParameter": "sweep_plan_v1",
    "GroupDataset": "group_v1",
    "GroupDuplicate": "group_v1",
    "GroupExecution": "group_v1",
    "GroupId": "common_v1",
    "GroupMetric": "group_v1",
    "GroupRun": "group_v1",
    "GroupStatus": "group_v1",
    "GroupSummary": "group_v1",
    "GroupV1": "group_v1",
    "Hardware": "tfc_system_v1",
    "ImportReportV1": "import_report_v1",
    "ImportedDataset": "tfc_config_v1",
    "ImportedDigests": "tfc_config_v1",
    "ImportedFrom": "tfc_config_v1",
    "ImportedItem": "import_report_v1",
    "IndexArrayEntry": "field_index_array_v1",
    "IndexArraySummary": "field_index_array_v1",
    "IndexArrayV1": "field_index_array_v1",
    "IndexCounts": "index_report_v1",
    "IndexEntry": "index_v1",
    "IndexFinding": "index_report_v1",
    "IndexOrphanError": "field_index_orphan_marker_v1_0_0",
    "IndexOrphanMarkerV100": "field_index_orphan_marker_v1_0_0",
    "IndexReportV1": "index_report_v1",
    "IndexSummary": "index_v1",
    "IndexV1": "index_v1",
    "IndexedImportance": "feature_importance_v1",
    "InspectedColumn": "dataset_inspection_v1",
    "InspectedLabel": "dataset_inspection_v1",
    "Instant": "tfc_common_v1",
    "Intercept": "linear_coefficients_v1",
    "InterpretabilityIndexV1": "interpretability_index_v1",
    "JudgedGate": "evaluation_report_v1",
    "LeftOut": "tfc_config_v1",
    "LeftOutExample": "evaluation_v1",
    "LeftOutItem": "provenance_v1",
    "LeftOutReason": "evaluation_v1",
    "LeftOutRows": "evaluation_v1",
    "LeftOutSum": "import_report_v1",
    "LinearCoefficientsEntry": "interpretability_index_v1",
    "LinearCoefficientsSummary": "interpretability_index_v1",
    "LinearCoefficientsV1": "linear_coefficients_v1",
    "ManifestV1": "manifest_v1",
    "MemberNumber": "group_v1",
    "MemberStatus": "group_v1",
    "MergeReportV1": "merge_report_v1",
    "MergedEntries": "store_merge_v1",
    "MergedHead": "store_merge_v1",
    "MergedItem": "merge_report_v1",
    "MetricPoint": "tfc_metrics_v1",
    "MetricValue": "comparison_v1",
    "MetricsEntry": "interpretability_index_v1",
    "MetricsPhase2": "metrics_phase2",
    "MetricsProfile": "common_v1",
    "MetricsReference": "common_v1",
    "MetricsSnapshot": "common_v1",
    "MetricsSummary": "interpretability_index_v1",
    "MetricsV1": "metrics_v1",
    "MissingValue": "recipe_v1",
    "ModelArray": "artifact_inspection_v0_2_2_2",
    "ModelFamily": "common_v1",
    "ModelFinding": "artifact_inspection_v0_2_2_2",
    "MoveReportV1": "move_report_v1",
    "MovedWeight": "comparison_v1",
    "NotChecked": "reproduction_v1",
    "Numerics": "provenance_v1",
    "ParameterCheck": "reproduction_v1",
    "PipelineStep": "artifact_inspection_v0_2_2_2",
    "PlanExecution": "sweep_plan_v1",
    "PlanGroup": "sweep_plan_v1",
    "Platform": "provenance_v1",
    "PredictedRow": "prediction_v1",
    "PredictionCheck": "reproduction_v1",
    "PredictionV1": "prediction_v1",
    "Preset": "common_v1",
    "PrimaryMetric": "result_v1",
    "Probability": "prediction_v1",
    "Provenance": "provenance_v1",
    "ProvenanceDefinitions": "provenance_v1",
    "PythonRuntime": "provenance_v1",
    "RankedCoefficient": "linear_coefficients_v1",
    "RankedImportance": "feature_importance_v1",
    "RecipeColumn": "recipe_v1",
    "RecipeSource": "recipe_v1",
    "RecipeV1": "recipe_v1",
    "RecordContradiction": "reproduction_v1",
    "RecordedHyperparameter": "common_v1",
    "RecordedValue": "comparison_v1",
    "RelativePath": "common_v1",
    "RemovalItem": "removal_report_v1",
    "RemovalReportV1": "removal_report_v1",
    "RemovedRun": "run_removal_v1",
    "ReproductionDataset": "reproduction_v1",
    "ReproductionReason": "reproduction_v1",
    "ReproductionV1": "reproduction_v1",
    "ReproductionVerdict": "reproduction_v1",
    "RequestDataset": "request_v1",
    "RequestDevice": "request_v1",
    "RequestModel": "request_v1",
    "RequestOverrides": "sweep_plan_v1",
    "RequestPath": "sweep_plan_v1",
    "RequestV1": "request_v1",
    "ResolvedReference": "tfc_config_v1",
    "ResultArtifact": "result_v1",
    "ResultError": "result_v1",
    "ResultSummary": "result_v1",
    "ResultV1": "result_v1",
    "RunArchive": "run_removal_v1",
    "RunArtifacts": "common_v1",
    "RunCommand": "tfc_common_v1",
    "RunDataset": "run_v0_4_0",
    "RunFailure": "tfc_config_v1",
    "RunId": "common_v1",
    "RunRemovalV1": "run_removal_v1",
    "RunV0221": "run_v0_2_2_1",
    "RunV033": "run_v0_3_3",
    "RunV036": "run_v0_3_6",
    "RunV040": "run_v0_4_0",
    "Seed": "tfc_common_v1",
    "Sha256": "common_v1",
    "SkippedFolder": "index_report_v1",
    "Split": "run_v0_4_0",
    "Status": "common_v1",
    "StoreContents": "merge_report_v1",
    "StoreMergeV1": "store_merge_v1",
    "StorePlaceV1": "store_place_v1",
    "StoreReport": "index_report_v1",
    "SweepPlanV1": "sweep_plan_v1",
    "SweepStrategy": "sweep_plan_v1",
    "Timestamp": "common_v1",
    "TopFeatures": "interpretability_index_v1",
    "TraceV1": "trace_v1",
    "TracedDataset": "trace_v1",
    "TracedRun": "trace_v1",
    "Training": "tfc_common_v1",
    "TreeSummary": "artifact_inspection_v0_2_2_2",
    "UnixTime": "field_common_v1",
    "UsedDevice": "run_v0_4_0",
    "Verdict": "verification_v1",
    "VerificationCheck": "verification_v1",
    "VerificationFinding": "verification_v1",
    "VerificationV1": "verification_v1",
    "VerifiedEvaluation": "verification_v1",
    "VerifiedRun": "verification_v1",
    "VerifiedStore": "verification_v1",
    "VerifiedView": "verification_v1",
    "WeightValue": "comparison_v1",
    "WorkspacePath": "common_v1",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"runforge_contracts._generated.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_MODULES)
